import { globalShortcut } from 'electron'
import { accelerator } from '../menus/command-table.ts'
import { chordText } from '../menus/menu-text.ts'
import { words } from '../menus/words.ts'
import type { Desktop } from './desktop.ts'

/** Takes the keys that the setting asks for, and no others, from the whole system until the app ends. */
export function startShortcuts(desktop: Desktop, tell: (problem: string) => void): void {
  let chord = 'none'
  const apply = (settings: Readonly<Record<string, unknown>>): void => {
    const next = typeof settings.globalShortcut === 'string' ? settings.globalShortcut : 'none'
    if (next === chord) return
    if (chord !== 'none') globalShortcut.unregister(accelerator(chord))
    chord = next
    if (next === 'none') return
    if (globalShortcut.register(accelerator(next), () => desktop.window.show())) return
    chord = 'none'
    tell(words.shortcutTaken(chordText(next, process.platform)))
  }
  const leave = desktop.settings.watch(apply)
  desktop.signal.addEventListener(
    'abort',
    () => {
      leave()
      globalShortcut.unregisterAll()
    },
    { once: true },
  )
  apply(desktop.settings.all())
}
