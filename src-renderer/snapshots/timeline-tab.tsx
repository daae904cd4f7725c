// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand, which table elements can't be
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import { canFreeze } from '../bottles/bottle-verbs.ts'
import { useApp, useModel } from '../state/app.ts'
import type { DetailEntry } from '../state/details.ts'
import { Blank } from '../ui/blank.tsx'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { Problem } from '../ui/pieces.tsx'
import { useNow } from '../ui/use-now.ts'
import { layOutLanes } from './lanes.ts'
import { timelineNodes } from './timeline-nodes.ts'
import { TimelineRow } from './timeline-row.tsx'

const ROW = 58

/** The snapshots of a bottle as a tree in lanes, newest on top. */
export function TimelineTab({
  bottle,
  entry,
}: {
  readonly bottle: Bottle
  readonly entry: DetailEntry | undefined
}) {
  const app = useApp()
  const bottles = useModel((model) => model.bottleList)
  const now = useNow(30_000)
  const scroller = useRef<HTMLDivElement>(null)
  const mustFocus = useRef(false)
  const [chosen, setChosen] = useState<string | null>(null)
  const tree = entry?.detail?.tree
  const { rows, width } = useMemo(
    () => layOutLanes(timelineNodes(bottle, tree ?? [], bottles)),
    [bottle, tree, bottles],
  )
  const at = Math.max(
    0,
    rows.findIndex((row) => row.item.id === chosen),
  )
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 6,
  })
  useEffect(() => {
    if (!mustFocus.current) return
    mustFocus.current = false
    scroller.current?.querySelector<HTMLElement>('[role="row"][tabindex="0"]')?.focus()
  })

  if (entry?.failure && !tree) {
    return (
      <Problem title={t.detail.failed} text={entry.failure.message} detail={entry.failure.detail ?? null} />
    )
  }
  if (!tree) return <p className="tab-wait faint">…</p>
  if (tree.length === 0) {
    return (
      <Blank isSmall icon="snow" title={t.timeline.empty} text={t.timeline.emptyText}>
        {canFreeze(bottle) && (
          <Button kind="primary" icon="snow" onClick={() => void app.operations.freeze(bottle.slug)}>
            {t.action.freeze}
          </Button>
        )}
      </Blank>
    )
  }

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const row = (event.target as HTMLElement).closest<HTMLElement>('[role="row"]')
    if (event.target !== row && !['ArrowLeft', 'ArrowRight'].includes(event.key)) return
    if ((event.target as HTMLElement).tagName === 'INPUT') return
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: rows.length - 1,
    }
    const step = steps[event.key]
    if (step !== undefined) {
      const index = Math.min(rows.length - 1, Math.max(0, step))
      mustFocus.current = true
      setChosen(rows[index]?.item.id ?? null)
      virtual.scrollToIndex(index)
    } else if (row && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
      const stops = [row, ...row.querySelectorAll<HTMLElement>('button:not(:disabled)')]
      stops[
        stops.indexOf(document.activeElement as HTMLElement) + (event.key === 'ArrowRight' ? 1 : -1)
      ]?.focus()
    } else return
    event.preventDefault()
  }

  return (
    <div ref={scroller} className="timeline scroll">
      <div
        role="treegrid"
        aria-label={t.timeline.label(bottle.slug)}
        aria-rowcount={rows.length}
        className="timeline-room"
        style={{ height: virtual.getTotalSize() }}
        onKeyDown={onKeyDown}
      >
        {virtual.getVirtualItems().map((item) => {
          const row = rows[item.index]
          if (!row) return null
          return (
            <TimelineRow
              key={row.item.id}
              row={row}
              width={width}
              index={item.index}
              top={item.start}
              height={ROW}
              now={now}
              owner={bottle}
              isChosen={item.index === at}
              isPicked={row.item.id === chosen}
              onChoose={() => setChosen(row.item.id)}
            />
          )
        })}
      </div>
    </div>
  )
}
