import { useEffect } from 'react'
import { doingOf, resumeOrOpen, verbsOf } from '../bottles/bottle-verbs.ts'
import { type App, useApp } from '../state/app.ts'
import { type Overlay, SECTIONS } from '../state/view.ts'
import { isChord } from './keys.ts'

interface Shortcut {
  readonly chords: readonly string[]
  /** Works while somebody types in a field too. */
  readonly isForTyping?: boolean
  readonly run: (app: App) => void
}

const lay = (app: App, overlay: Overlay) => app.view.update((view) => ({ ...view, overlay }))

/** The bottle that the shortcuts act on: the one whose row or detail is shown. */
function verb(app: App, name: 'freeze' | 'fork' | 'export' | 'destroy'): void {
  const { current, section } = app.view.get()
  const slug = current ?? document.querySelector<HTMLElement>('.list [data-current]')?.dataset.slug
  const bottle = slug ? app.model.get().bottles.get(slug) : undefined
  if (section !== 'bottles' || !bottle) return
  const found = verbsOf(app, bottle, doingOf(app, bottle.slug)).find((item) => item.id === name)
  if (found && !found.isDisabled) found.run()
}

const SHORTCUTS: readonly Shortcut[] = [
  { chords: ['mod+k', 'f1'], isForTyping: true, run: (app) => lay(app, { kind: 'palette' }) },
  // A browser keeps Ctrl+N to itself, so Alt+N does the same.
  { chords: ['mod+n', 'alt+n'], isForTyping: true, run: (app) => lay(app, { kind: 'new' }) },
  {
    chords: ['mod+f'],
    isForTyping: true,
    run: (app) => {
      app.view.update((view) => ({ ...view, section: 'bottles', isSearchOpen: true }))
      requestAnimationFrame(() => document.querySelector<HTMLInputElement>('#bottle-search')?.focus())
    },
  },
  { chords: ['mod+shift+f'], isForTyping: true, run: (app) => verb(app, 'freeze') },
  {
    chords: ['mod+enter'],
    run: (app) => {
      const { current, section } = app.view.get()
      const slug = current ?? document.querySelector<HTMLElement>('.list [data-current]')?.dataset.slug
      const bottle = slug ? app.model.get().bottles.get(slug) : undefined
      if (section === 'bottles' && bottle) resumeOrOpen(app, bottle)
    },
  },
  { chords: ['mod+d'], run: (app) => verb(app, 'fork') },
  { chords: ['mod+e'], run: (app) => verb(app, 'export') },
  {
    chords: ['mod+backspace'],
    run: (app) => {
      const { selected } = app.view.get()
      if (selected.size > 0) lay(app, { kind: 'destroy', slugs: [...selected] })
      else verb(app, 'destroy')
    },
  },
  {
    chords: ['mod+,'],
    isForTyping: true,
    run: (app) => app.view.update((view) => ({ ...view, section: 'settings' })),
  },
  { chords: ['mod+shift+/'], isForTyping: true, run: (app) => lay(app, { kind: 'shortcuts' }) },
  ...SECTIONS.map((section, index) => ({
    chords: [`mod+${index + 1}`],
    isForTyping: true,
    run: (app: App) => app.view.update((view) => ({ ...view, section })),
  })),
  {
    chords: ['escape'],
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
        if (isTyping && !shortcut.isForTyping) continue
        if (!shortcut.chords.some((chord) => isChord(event, chord))) continue
        event.preventDefault()
        shortcut.run(app)
        return
      }
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [app])
}
