// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand, which table elements can't be
// biome-ignore-all lint/a11y/useFocusableInteractive: the row takes the focus, its cells don't
import { type MouseEvent, type ReactNode, useRef, useState } from 'react'
import type { Bottle, Snapshot } from '../../src-preload/contract/entities.ts'
import type { DragItem } from '../artifacts/drag-items.ts'
import { DragMark } from '../artifacts/drag-mark.tsx'
import { useDragSource } from '../artifacts/use-drag-source.ts'
import { backendName, isActive, lookOf } from '../bottles/bottle-look.ts'
import { canFreeze, canResume, doingOf, openDetail } from '../bottles/bottle-verbs.ts'
import { StatePill } from '../bottles/state-pill.tsx'
import { useApp, useModel } from '../state/app.ts'
import { IconButton } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { age, bytes, moment } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { PopMenu } from '../ui/pop-menu.tsx'
import { LaneDrawing } from './lane-drawing.tsx'
import type { LaneRow } from './lanes.ts'
import { NoteField } from './note-field.tsx'
import { snapshotVerbs } from './snapshot-verbs.ts'
import type { TimelineNode } from './timeline-nodes.ts'

interface RowProps {
  readonly row: LaneRow<TimelineNode>
  readonly width: number
  readonly index: number
  readonly top: number
  readonly height: number
  readonly now: number
  readonly owner: Bottle
  readonly isChosen: boolean
  /** Chosen by the person, not only the row that takes the focus first. */
  readonly isPicked: boolean
  readonly onChoose: () => void
}

/** One node of the timeline with what can be done from it. */
export function TimelineRow(props: RowProps) {
  const { item } = props.row
  const [isOver, setOver] = useState(false)
  const snapshot = item.kind === 'snapshot' && item.snapshot.status === 'ready' ? item.snapshot : null
  const drag = useDragSource({
    target: snapshot && { slug: props.owner.slug, snapshot: snapshot.id },
    bytes: snapshot?.bytes ?? 0,
    isNear: isOver || props.isPicked,
  })
  const look = item.kind === 'snapshot' ? (item.isCurrent ? 'current' : 'snapshot') : item.kind
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the treegrid around it handles the keys
    <div
      role="row"
      className="moment"
      aria-level={props.row.lane + 1}
      aria-rowindex={props.index + 1}
      aria-selected={props.isChosen}
      tabIndex={props.isChosen ? 0 : -1}
      style={{ transform: `translateY(${props.top}px)`, height: props.height }}
      onClick={props.onChoose}
      onPointerEnter={() => setOver(true)}
      onPointerLeave={() => setOver(false)}
      {...drag.props}
    >
      <LaneDrawing row={props.row} width={props.width} height={props.height} look={look} />
      {item.kind === 'snapshot' && (
        <SnapshotCells {...props} snapshot={item.snapshot} isCurrent={item.isCurrent} drag={drag.item} />
      )}
      {item.kind === 'now' && <NowCells {...props} />}
      {item.kind === 'fork' && <ForkCells {...props} fork={item.bottle} />}
    </div>
  )
}

function Cells(props: {
  readonly title: ReactNode
  readonly sub: ReactNode
  readonly end: ReactNode
  readonly actions?: ReactNode
  readonly hint?: string
}) {
  return (
    <>
      <div role="gridcell" className="moment-words" title={props.hint}>
        <div className="moment-title">{props.title}</div>
        <div className="moment-sub one-line">{props.sub}</div>
      </div>
      <div role="gridcell" className="moment-end">
        {props.end}
      </div>
      {props.actions && (
        <div role="gridcell" className="moment-actions">
          {props.actions}
        </div>
      )}
    </>
  )
}

function SnapshotCells(
  props: RowProps & {
    readonly snapshot: Snapshot
    readonly isCurrent: boolean
    readonly drag: DragItem
  },
) {
  const app = useApp()
  const platform = useModel((model) => model.platform)
  const { snapshot, owner } = props
  const [isEditing, setEditing] = useState(false)
  const isFree = doingOf(app, owner.slug) === null
  const tab = props.isChosen ? 0 : -1
  const size = snapshot.ownBytes === null ? bytes(snapshot.bytes) : `+${bytes(snapshot.ownBytes)}`
  const words = [age(snapshot.createdAt, props.now), size, t.reason[snapshot.reason]]
  if (snapshot.backend !== owner.backend) words.push(backendName(snapshot.backend, platform))
  if (snapshot.pinned) words.push(t.timeline.pinned)
  const hint = [
    `${snapshot.id} · ${moment(snapshot.createdAt)}`,
    t.timeline.shared(bytes(snapshot.bytes)),
    snapshot.leftOut.length ? t.timeline.leftOut(snapshot.leftOut) : '',
  ]
  if (isEditing) return <NoteField slug={owner.slug} snapshot={snapshot} onDone={() => setEditing(false)} />
  return (
    <Cells
      hint={hint.filter(Boolean).join('\n')}
      title={
        <>
          <span className="one-line">{snapshot.note || snapshot.label || moment(snapshot.createdAt)}</span>
          {snapshot.pinned && <Icon name="pin" className="pin-mark" />}
          <VerifiedBadge snapshot={snapshot} now={props.now} />
          <DragMark item={props.drag} />
        </>
      }
      sub={<span className="number">{words.join(' · ')}</span>}
      end={
        <>
          {props.isCurrent && <span className="badge ice">{t.timeline.current}</span>}
          {snapshot.status === 'in-doubt' && <span className="badge wait">{t.timeline.inDoubt}</span>}
          <span className="badge">{t.fidelity[snapshot.fidelity]}</span>
        </>
      }
      actions={
        <>
          <IconButton
            icon="play"
            label={t.action.resumeThis}
            tabIndex={tab}
            disabled={!isFree || !(canResume(owner) || isActive(owner))}
            onClick={() => void app.operations.resume(owner.slug, snapshot.id)}
          />
          <IconButton
            icon="fork"
            label={t.action.forkThis}
            tabIndex={tab}
            onClick={() =>
              app.view.update((now) => ({
                ...now,
                overlay: { kind: 'fork', slug: owner.slug, snapshot: snapshot.id },
              }))
            }
          />
          <IconButton
            icon="pin"
            label={snapshot.pinned ? t.action.unpin : t.action.pin}
            aria-pressed={snapshot.pinned}
            tabIndex={tab}
            onClick={() =>
              void edit(app, { slug: owner.slug, snapshot: snapshot.id, pinned: !snapshot.pinned })
            }
          />
          <IconButton icon="note" label={t.action.editNote} tabIndex={tab} onClick={() => setEditing(true)} />
          <MoreButton owner={owner} snapshot={snapshot} tabIndex={tab} />
        </>
      }
    />
  )
}

/** The last proof of restore: a word, with when and what in the tip. */
function VerifiedBadge({ snapshot, now }: { readonly snapshot: Snapshot; readonly now: number }) {
  const { verified } = snapshot
  if (!verified) return null
  const hasPassed = verified.outcome === 'passed'
  const hint = hasPassed ? t.artifact.verifiedHint : t.artifact.failedHint
  return (
    <span
      className={`badge ${hasPassed ? 'run' : 'bad'}`}
      title={hint(age(verified.at, now), verified.detail)}
    >
      <Icon name={hasPassed ? 'check' : 'warning'} />
      {hasPassed ? t.artifact.verifiedBadge : t.artifact.failedBadge}
    </span>
  )
}

/** Everything else that can be done with a snapshot. */
function MoreButton(props: {
  readonly owner: Bottle
  readonly snapshot: Snapshot
  readonly tabIndex: number
}) {
  const app = useApp()
  const button = useRef<HTMLButtonElement>(null)
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <button
        ref={button}
        type="button"
        className="icon-button"
        title={t.artifact.more}
        aria-label={t.artifact.more}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        tabIndex={props.tabIndex}
        onClick={(event: MouseEvent) => {
          event.stopPropagation()
          setOpen(true)
        }}
      >
        <Icon name="more" />
      </button>
      {isOpen && (
        <PopMenu
          label={t.artifact.more}
          anchor={button}
          entries={snapshotVerbs(app, props.owner.slug, props.snapshot)}
          onClose={() => setOpen(false)}
        />
      )}
    </>
  )
}

async function edit(
  app: ReturnType<typeof useApp>,
  args: { readonly slug: string; readonly snapshot: string; readonly pinned: boolean },
): Promise<void> {
  if (await app.operations.editSnapshot(args)) await app.details.load(args.slug)
}

function NowCells(props: RowProps) {
  const app = useApp()
  const { owner } = props
  const isRunning = isActive(owner)
  return (
    <Cells
      title={<span className="one-line">{t.timeline.now}</span>}
      sub={isRunning ? t.timeline.nowRunning : t.timeline.nowStopped}
      end={isRunning ? <span className="badge run">{t.timeline.live}</span> : null}
      actions={
        canFreeze(owner) && (
          <IconButton
            icon="snow"
            label={t.action.freeze}
            tabIndex={props.isChosen ? 0 : -1}
            disabled={doingOf(app, owner.slug) !== null}
            onClick={() => void app.operations.freeze(owner.slug)}
          />
        )
      }
    />
  )
}

function ForkCells(props: RowProps & { readonly fork: Bottle }) {
  const app = useApp()
  const { fork } = props
  return (
    <Cells
      title={<span className="one-line">{fork.slug}</span>}
      sub={fork.startedAt ? age(fork.startedAt, props.now) : ''}
      end={<StatePill look={lookOf(fork, null)} />}
      actions={
        <IconButton
          icon="right"
          label={t.action.show}
          tabIndex={props.isChosen ? 0 : -1}
          onClick={() => openDetail(app, fork.slug, 'timeline')}
        />
      }
    />
  )
}
