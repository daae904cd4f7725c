import { doingOf, resumeOrOpen, verbsOf } from '../bottles/bottle-verbs.ts'
import type { App } from '../state/app.ts'
import type { Overlay, Section } from '../state/view.ts'

/** Verbs that have a key and an item in the app's menu. */
export type KeyedVerb = 'freeze' | 'resume' | 'fork' | 'export' | 'destroy'

/** Lays a sheet, a dialog or the palette over the window. */
export function lay(app: App, overlay: Overlay): void {
  app.view.update((view) => ({ ...view, overlay }))
}

/** Shows a section of the window. */
export function goTo(app: App, section: Section): void {
  app.view.update((view) => ({ ...view, section }))
}

/** Shows the list and puts the cursor into its search. */
export function find(app: App): void {
  app.view.update((view) => ({ ...view, section: 'bottles', isSearchOpen: true }))
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>('#bottle-search')?.focus())
}

/**
 * Does one verb on the bottle whose row or detail is shown, or destroys those that are ticked. Does nothing where the
 * verb does not apply, or while another operation holds the bottle.
 */
export function actOnCurrent(app: App, name: KeyedVerb): void {
  const { current, section, selected } = app.view.get()
  if (section !== 'bottles') return
  if (name === 'destroy' && selected.size > 0) {
    lay(app, { kind: 'destroy', slugs: [...selected] })
    return
  }
  const slug = current ?? document.querySelector<HTMLElement>('.list [data-current]')?.dataset.slug
  const bottle = slug ? app.model.get().bottles.get(slug) : undefined
  if (!bottle) return
  if (name === 'resume') {
    resumeOrOpen(app, bottle)
    return
  }
  const found = verbsOf(app, bottle, doingOf(app, bottle.slug)).find((item) => item.id === name)
  if (found && !found.isDisabled) found.run()
}
