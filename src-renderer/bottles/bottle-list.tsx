// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand, which table elements can't be
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import { isChord } from '../palette/keys.ts'
import { useApp, useModel } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { t } from '../ui/en.ts'
import { useNow } from '../ui/use-now.ts'
import { BottleMenu } from './bottle-menu.tsx'
import { BottleRow, type RowHandlers } from './bottle-row.tsx'
import { ListHead } from './list-head.tsx'
import { useSelection } from './use-selection.ts'

const ROW_HEIGHT = 54
const HEAD_HEIGHT = 32
const PAGE = 10

interface OpenMenu {
  readonly slug: string
  readonly anchor: HTMLElement
  readonly point: { readonly x: number; readonly y: number } | null
}

/** The list of bottles as a grid: only the rows in sight exist; one of them takes the focus. */
export function BottleList(props: {
  readonly bottles: readonly Bottle[]
  readonly current: Bottle | undefined
}) {
  const { bottles, current } = props
  const app = useApp()
  const activeTasks = useModel((model) => model.activeTasks)
  const platform = useModel((model) => model.platform)
  const asked = useStore(app.asked, (all) => all)
  const now = useNow(30_000)
  const scroller = useRef<HTMLDivElement>(null)
  const mustFocus = useRef(false)
  const [menu, setMenu] = useState<OpenMenu | null>(null)
  const selection = useSelection(bottles)
  const currentIndex = Math.max(0, current ? bottles.indexOf(current) : 0)

  const virtual = useVirtualizer({
    count: bottles.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => bottles[index]?.slug ?? index,
    overscan: 8,
    scrollPaddingStart: HEAD_HEIGHT,
    // The row with the focus always exists, or the focus would be lost while scrolling.
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range)
      if (shown.includes(currentIndex) || currentIndex >= bottles.length) return shown
      return [...shown, currentIndex].sort((a, b) => a - b)
    },
  })

  const handlers = useMemo<RowHandlers>(
    () => ({
      choose: selection.choose,
      tick: selection.tick,
      dragged: () => {
        const all = app.model.get().bottles
        return [...app.view.get().selected].flatMap((slug) => {
          const snapshot = all.get(slug)?.currentSnapshot
          return snapshot ? [{ slug, snapshot }] : []
        })
      },
      openMenu: (slug, anchor, point) => {
        app.view.update((view) => ({ ...view, current: slug }))
        setMenu({ slug, anchor, point })
      },
    }),
    [app, selection.choose, selection.tick],
  )

  useLayoutEffect(() => {
    if (!mustFocus.current || !current) return
    mustFocus.current = false
    rowOf(scroller.current, current.slug)?.focus({ preventScroll: true })
  })

  const currentSlug = current?.slug
  // Whatever made it the current one, its row is in sight; where it is may change without the list being moved.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new current row moves the list
  useEffect(() => {
    if (currentSlug !== undefined) virtual.scrollToIndex(currentIndex)
  }, [currentSlug])

  const move = (to: number, isExtending: boolean) => {
    const index = Math.min(bottles.length - 1, Math.max(0, to))
    const target = bottles[index]
    if (!target) return
    mustFocus.current = true
    if (isExtending) selection.extend(target.slug)
    app.view.update((view) => ({ ...view, current: target.slug }))
    virtual.scrollToIndex(index)
  }

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[data-slug]')
    if (!row) return
    const isOnRow = event.target === row
    const native = event.nativeEvent
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: currentIndex + 1,
      ArrowUp: currentIndex - 1,
      PageDown: currentIndex + PAGE,
      PageUp: currentIndex - PAGE,
      Home: 0,
      End: bottles.length - 1,
    }
    const step = steps[event.key]
    if (step !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) move(step, event.shiftKey)
    else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft')
      stepInside(row, event.key === 'ArrowRight')
    else if (isChord(native, 'mod+a')) selection.tickAll()
    else if (current && isOnRow && (event.key === 'x' || (event.key === ' ' && event.ctrlKey)))
      selection.tick(current.slug)
    else if (isOnRow && event.key === ' ')
      app.view.update((view) => ({ ...view, isDetailOpen: !view.isDetailOpen }))
    else if (isOnRow && event.key === 'Enter' && !event.ctrlKey && !event.metaKey) openAndEnter(app)
    else if (current && (event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10'))) {
      handlers.openMenu(current.slug, row, null)
    } else return
    event.preventDefault()
    event.stopPropagation()
  }

  const menuBottle = menu && bottles.find((bottle) => bottle.slug === menu.slug)
  return (
    <>
      <div
        ref={scroller}
        role="grid"
        className="list scroll"
        aria-label={t.list.label}
        aria-multiselectable="true"
        aria-rowcount={bottles.length + 1}
        data-ticking={selection.selected.size > 0 || undefined}
        onKeyDown={onKeyDown}
      >
        <ListHead
          isAllTicked={bottles.length > 0 && selection.selected.size >= bottles.length}
          isSomeTicked={selection.selected.size > 0}
          onTickAll={selection.tickAll}
        />
        <div role="rowgroup" className="list-body" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const bottle = bottles[item.index]
            if (!bottle) return null
            return (
              <BottleRow
                key={bottle.slug}
                bottle={bottle}
                task={activeTasks.get(bottle.slug)}
                asked={asked.get(bottle.slug)}
                isCurrent={bottle.slug === current?.slug}
                isTabStop={item.index === currentIndex}
                isTicked={selection.selected.has(bottle.slug)}
                index={item.index}
                top={item.start}
                now={now}
                platform={platform}
                handlers={handlers}
              />
            )
          })}
        </div>
      </div>
      {menu && menuBottle && (
        <BottleMenu
          bottle={menuBottle}
          anchor={menu.anchor}
          point={menu.point}
          onClose={() => {
            setMenu(null)
          }}
        />
      )}
    </>
  )
}

function rowOf(list: HTMLElement | null, slug: string): HTMLElement | null {
  return list?.querySelector<HTMLElement>(`[data-slug="${CSS.escape(slug)}"]`) ?? null
}

/** Right goes from the row to its buttons and along them; left goes back. */
function stepInside(row: HTMLElement, isForward: boolean): void {
  const stops = [row, ...row.querySelectorAll<HTMLElement>('.cell-actions button:not(:disabled)')]
  const at = stops.indexOf(document.activeElement as HTMLElement)
  stops[at + (isForward ? 1 : -1)]?.focus()
}

function openAndEnter(app: ReturnType<typeof useApp>): void {
  app.view.update((view) => ({ ...view, isDetailOpen: true }))
  requestAnimationFrame(() =>
    document.querySelector<HTMLElement>('.detail [role="tab"][aria-selected="true"]')?.focus(),
  )
}
