import { globalShortcut } from 'electron'
import { accelerator } from '../menus/command-table.ts'
import { chordText } from '../menus/menu-text.ts'
import { words } from '../menus/words.ts'
import type { Desktop } from './desktop.ts'

/** Takes the keys that the setting asks for, and no others, from the whole system until the app ends. */
export function startShortcuts(desktop: Desktop, tell: (problem: string) => void): void {
  /** As last asked for, had or not: what another program has is told once. */
  let wanted = 'none'
  let held: string | undefined
  const apply = (settings: Readonly<Record<string, unknown>>): void => {
    const chord = typeof settings.globalShortcut === 'string' ? settings.globalShortcut : 'none'
    if (chord === wanted) return
    wanted = chord
    if (held !== undefined) globalShortcut.unregister(held)
    held = undefined
    if (chord === 'none') return
    const keys = accelerator(chord)
    if (globalShortcut.register(keys, () => desktop.window.show())) held = keys
    else tell(words.shortcutTaken(chordText(chord, process.platform)))
  }
  const leave = desktop.settings.watch(apply)
  desktop.signal.addEventListener(
    'abort',
    () => {
      leave()
      if (held !== undefined) globalShortcut.unregister(held)
    },
    { once: true },
  )
  apply(desktop.settings.all())
}
