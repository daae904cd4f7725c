import { type MouseEvent, useCallback, useRef } from 'react'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import { isMac } from '../palette/keys.ts'
import { useApp, useView } from '../state/app.ts'

const NOTHING: ReadonlySet<string> = new Set()

/** Choosing and ticking rows as lists do it: click, Ctrl or ⌘ click, Shift click. The functions keep their identity. */
export function useSelection(bottles: readonly Bottle[]) {
  const app = useApp()
  const selected = useView((view) => view.selected)
  const anchor = useRef<string | null>(null)
  const shown = useRef(bottles)
  shown.current = bottles

  const between = useCallback((slug: string): ReadonlySet<string> => {
    const slugs = shown.current.map((bottle) => bottle.slug)
    const from = slugs.indexOf(anchor.current ?? slug)
    const to = slugs.indexOf(slug)
    return new Set(slugs.slice(Math.min(from, to), Math.max(from, to) + 1))
  }, [])

  const tick = useCallback(
    (slug: string) => {
      anchor.current = slug
      app.view.update((view) => {
        const next = new Set(view.selected)
        if (!next.delete(slug)) next.add(slug)
        return { ...view, selected: next }
      })
    },
    [app],
  )

  const choose = useCallback(
    (slug: string, event: MouseEvent) => {
      if (isMac ? event.metaKey : event.ctrlKey) {
        tick(slug)
        return
      }
      if (event.shiftKey) {
        anchor.current ??= app.view.get().current
        app.view.update((view) => ({ ...view, current: slug, selected: between(slug) }))
        return
      }
      anchor.current = slug
      app.view.update((view) => ({
        ...view,
        current: slug,
        isDetailOpen: true,
        selected: view.selected.size ? NOTHING : view.selected,
      }))
    },
    [app, between, tick],
  )

  const extend = useCallback(
    (slug: string) => {
      anchor.current ??= app.view.get().current
      app.view.update((view) => ({ ...view, selected: between(slug) }))
    },
    [app, between],
  )

  const tickAll = useCallback(() => {
    app.view.update((view) => ({
      ...view,
      selected:
        view.selected.size >= shown.current.length
          ? NOTHING
          : new Set(shown.current.map((bottle) => bottle.slug)),
    }))
  }, [app])

  return { selected, choose, tick, extend, tickAll }
}
