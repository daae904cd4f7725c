import { BrowserWindow, nativeTheme } from 'electron'
import type { Desktop } from './desktop.ts'
import { windowLook } from './window-look.ts'

const SOURCES = ['system', 'light', 'dark'] as const

/** Menus, dialogs, title bar and the window's ground follow the setting that the page follows. */
export function startTheme({ settings, signal }: Desktop): void {
  const follow = (all: Readonly<Record<string, unknown>>): void => {
    const source = SOURCES.find((each) => each === all.theme) ?? 'system'
    if (nativeTheme.themeSource !== source) nativeTheme.themeSource = source
  }
  const repaint = (): void => {
    const { backgroundColor } = windowLook(process.platform, nativeTheme.shouldUseDarkColors)
    for (const window of BrowserWindow.getAllWindows())
      if (backgroundColor !== undefined) window.setBackgroundColor(backgroundColor)
  }
  follow(settings.all())
  const leave = settings.watch(follow)
  nativeTheme.on('updated', repaint)
  signal.addEventListener('abort', () => {
    leave()
    nativeTheme.off('updated', repaint)
  })
}
