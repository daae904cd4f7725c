import { EventEmitter } from 'node:events'
import { strict } from './strict.ts'

class NativeThemeStandIn extends EventEmitter {
  /** What the system is set to. */
  isSystemDark = false
  shouldUseHighContrastColors = false
  shouldUseInvertedColorScheme = false
  prefersReducedTransparency = false
  inForcedColorsMode = false
  private source: 'system' | 'light' | 'dark' = 'system'

  get themeSource(): 'system' | 'light' | 'dark' {
    return this.source
  }

  set themeSource(source) {
    if (!['system', 'light', 'dark'].includes(source)) throw new TypeError(`not a theme source: ${source}`)
    this.source = source
    this.emit('updated')
  }

  get shouldUseDarkColors(): boolean {
    return this.source === 'system' ? this.isSystemDark : this.source === 'dark'
  }
}

export const nativeTheme = strict('nativeTheme', new NativeThemeStandIn())
