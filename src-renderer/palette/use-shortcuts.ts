import { useEffect } from 'react'
import { isDesktop } from '../bridge/bridge.ts'
import { type App, useApp } from '../state/app.ts'
import { SECTIONS } from '../state/view.ts'
import { isChord } from './keys.ts'
import { actOnCurrent, find, goTo, lay } from './window-acts.ts'

interface Shortcut {
  readonly chords: readonly string[]
  /** Works while somebody types in a field too. */
  readonly isForTyping?: boolean
  /** Does something of its own in a field. */
  readonly isEditing?: boolean
  readonly run: (app: App) => void
}

const SHORTCUTS: readonly Shortcut[] = [
  { chords: ['mod+k', 'f1'], isForTyping: true, run: (app) => lay(app, { kind: 'palette' }) },
  // A browser keeps Ctrl+N to itself, so Alt+N does the same.
  { chords: ['mod+n', 'alt+n'], isForTyping: true, run: (app) => lay(app, { kind: 'new' }) },
  { chords: ['mod+f'], isForTyping: true, run: find },
  { chords: ['mod+shift+f'], isForTyping: true, run: (app) => actOnCurrent(app, 'freeze') },
  { chords: ['mod+enter'], run: (app) => actOnCurrent(app, 'resume') },
  { chords: ['mod+d'], run: (app) => actOnCurrent(app, 'fork') },
  { chords: ['mod+e'], run: (app) => actOnCurrent(app, 'export') },
  { chords: ['mod+backspace'], isEditing: true, run: (app) => actOnCurrent(app, 'destroy') },
  { chords: ['mod+,'], isForTyping: true, run: (app) => goTo(app, 'settings') },
  { chords: ['mod+shift+/'], isForTyping: true, run: (app) => lay(app, { kind: 'shortcuts' }) },
  ...SECTIONS.map((section, index) => ({
    chords: [`mod+${index + 1}`],
    isForTyping: true,
    run: (app: App) => goTo(app, section),
  })),
  {
    chords: ['escape'],
    isEditing: true,
    run: (app) => app.view.update((view) => (view.selected.size ? { ...view, selected: new Set() } : view)),
  },
]

/** The keys of the window. Nothing is taken from the terminal, and from fields only what they don't use. */
export function useShortcuts(): void {
  const app = useApp()
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || app.view.get().overlay) return
      const target = event.target as HTMLElement
      if (target.closest('[data-keys="own"]')) return
      const isTyping = target.matches('input:not([type="checkbox"], [type="radio"]), textarea, select')
      for (const shortcut of SHORTCUTS) {
        if (!shortcut.chords.some((chord) => isChord(event, chord))) continue
        if (isTyping && !shortcut.isForTyping) {
          // What the page leaves alone goes on to the app's menu, which knows nothing of fields.
          if (isDesktop && !shortcut.isEditing) event.preventDefault()
          return
        }
        // Also what keeps the app's menu from doing the same once more.
        event.preventDefault()
        shortcut.run(app)
        return
      }
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [app])
}
