// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand, which table elements can't be
// biome-ignore-all lint/a11y/useFocusableInteractive: the row takes the focus, its cells don't
import { type MouseEvent, memo, useState } from 'react'
import type { Bottle, Task } from '../../src-preload/contract/entities.ts'
import type { DragTarget } from '../artifacts/drag-items.ts'
import { DragMark } from '../artifacts/drag-mark.tsx'
import { useDragSource } from '../artifacts/use-drag-source.ts'
import { useApp } from '../state/app.ts'
import { percent, shareOf } from '../tasks/progress-words.ts'
import { IconButton } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { age, bytes } from '../ui/format.ts'
import { contextOf, modelName } from './agent-look.ts'
import { agentName, backendName, isWaiting, labelColor, lookOf, sentenceOf } from './bottle-look.ts'
import { verbsOf } from './bottle-verbs.ts'
import { ContextBar } from './context-bar.tsx'
import { StatePill } from './state-pill.tsx'

/** What a row asks of its list; one object for all rows, so that rows stay memoised. */
export interface RowHandlers {
  choose(slug: string, event: MouseEvent): void
  tick(slug: string): void
  /** What a drag of a selected row takes along. */
  dragged(): readonly DragTarget[]
  openMenu(slug: string, anchor: HTMLElement, point: { readonly x: number; readonly y: number } | null): void
}

interface RowProps {
  readonly bottle: Bottle
  readonly task: Task | undefined
  readonly asked: string | undefined
  readonly isCurrent: boolean
  readonly isTabStop: boolean
  readonly isTicked: boolean
  readonly index: number
  readonly top: number
  readonly now: number
  readonly platform: string
  readonly handlers: RowHandlers
}

const SHOWN_VERBS = new Set(['resume', 'freeze', 'terminal', 'stop'])

/** One bottle in the list. Re-renders only when something of its own changed. */
export const BottleRow = memo(function BottleRow(props: RowProps) {
  const { bottle, task, handlers } = props
  const doing = task?.kind ?? props.asked ?? null
  const look = lookOf(bottle, doing)
  const color = labelColor(bottle.color)
  const model = bottle.health?.model ?? null
  const sentence = sentenceOf(bottle)
  const buttonTab = props.isTabStop ? 0 : -1
  // Buttons exist only where a pointer or the focus is: most of the cost of a row is in them.
  const [isNear, setNear] = useState(false)
  const { slug, currentSnapshot } = bottle
  const drag = useDragSource({
    target: currentSnapshot ? { slug, snapshot: currentSnapshot } : null,
    bytes: bottle.bytes ?? 0,
    // Pointers pass over the list all the time, so only what is ticked is made ready before it is dragged.
    isNear: props.isTicked,
    others: handlers.dragged,
  })
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid around it handles the keys
    <div
      role="row"
      className="row"
      data-slug={bottle.slug}
      data-current={props.isCurrent || undefined}
      data-stale={bottle.state === 'unknown' || undefined}
      aria-rowindex={props.index + 2}
      aria-selected={props.isTicked || props.isCurrent}
      tabIndex={props.isTabStop ? 0 : -1}
      style={{ transform: `translateY(${props.top}px)` }}
      onPointerEnter={() => setNear(true)}
      onPointerLeave={() => setNear(false)}
      onClick={(event) => handlers.choose(bottle.slug, event)}
      onContextMenu={(event) => {
        event.preventDefault()
        handlers.openMenu(bottle.slug, event.currentTarget, { x: event.clientX, y: event.clientY })
      }}
      {...drag.props}
    >
      <div role="gridcell" className="cell-tick">
        <input
          type="checkbox"
          tabIndex={-1}
          checked={props.isTicked}
          aria-label={t.list.select(bottle.slug)}
          onChange={() => handlers.tick(bottle.slug)}
          onClick={(event) => event.stopPropagation()}
        />
      </div>
      <div role="gridcell" className="cell-state">
        <StatePill look={look} share={shareOf(task?.progress)} />
      </div>
      <div role="gridcell" className="cell-name">
        <div className="row-name">
          {color && <i className="label-dot" style={{ background: color }} title={bottle.color} />}
          <strong className="one-line">{bottle.slug}</strong>
          {bottle.badges.map((badge) => (
            <span key={badge} className={`badge ${badge}`} title={t.badgeHint[badge]}>
              {t.badge[badge]}
            </span>
          ))}
          <DragMark item={drag.item} />
        </div>
        <div className="row-sentence one-line" title={sentence}>
          {task?.progress ? (
            `${percent(task.progress)} ${task.progress.phase}`.trim()
          ) : (
            <>
              {/* What an agent asks needs the room. */}
              {!isWaiting(bottle) && (
                <span className="row-engine">{backendName(bottle.backend, props.platform)} · </span>
              )}
              {sentence}
            </>
          )}
        </div>
      </div>
      <div role="gridcell" className="cell-agent" title={bottle.agent}>
        <div className="one-line">{agentName(bottle)}</div>
        {model && (
          <div className="row-model one-line" title={model}>
            {modelName(model)}
          </div>
        )}
      </div>
      <div role="gridcell" className="cell-model one-line soft" title={model ?? undefined}>
        {model ? modelName(model) : '–'}
      </div>
      <div role="gridcell" className="cell-context">
        <ContextBar percent={contextOf(bottle)} />
      </div>
      <div role="gridcell" className="cell-engine one-line soft">
        {bottle.engine || backendName(bottle.backend, props.platform)}
      </div>
      <div role="gridcell" className="cell-snapshots number soft">
        {bottle.snapshots || '–'}
      </div>
      <div role="gridcell" className="cell-size number soft">
        {bottle.bytes === null ? '–' : bytes(bottle.bytes)}
      </div>
      <div role="gridcell" className="cell-frozen number soft one-line">
        {bottle.lastFrozenAt ? age(bottle.lastFrozenAt, props.now) : t.list.never}
      </div>
      <div role="gridcell" className="cell-started number soft one-line">
        {bottle.startedAt ? age(bottle.startedAt, props.now) : '–'}
      </div>
      <div role="gridcell" className="cell-actions">
        {(isNear || props.isTabStop) && (
          <RowActions bottle={bottle} doing={doing} tabIndex={buttonTab} handlers={handlers} />
        )}
      </div>
    </div>
  )
})

function RowActions(props: {
  readonly bottle: Bottle
  readonly doing: string | null
  readonly tabIndex: number
  readonly handlers: RowHandlers
}) {
  const { bottle, tabIndex } = props
  const verbs = verbsOf(useApp(), bottle, props.doing).filter((verb) => SHOWN_VERBS.has(verb.id))
  return (
    <>
      {verbs.map((verb) => (
        <IconButton
          key={verb.id}
          icon={verb.icon}
          label={verb.label}
          isBusy={verb.isBusy}
          disabled={verb.isDisabled && !verb.isBusy}
          tabIndex={tabIndex}
          onClick={(event) => {
            event.stopPropagation()
            verb.run()
          }}
        />
      ))}
      <IconButton
        icon="more"
        label={t.list.rowActions(bottle.slug)}
        tabIndex={tabIndex}
        aria-haspopup="menu"
        onClick={(event) => {
          event.stopPropagation()
          props.handlers.openMenu(bottle.slug, event.currentTarget, null)
        }}
      />
    </>
  )
}
