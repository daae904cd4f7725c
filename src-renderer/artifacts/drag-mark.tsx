import { useModel } from '../state/app.ts'
import { shareOf } from '../tasks/progress-words.ts'
import { t } from '../ui/en.ts'
import { Icon } from '../ui/icons.tsx'
import type { DragItem } from './drag-items.ts'

const RADIUS = 5
const AROUND = 2 * Math.PI * RADIUS
/** Without a number an arc turns. */
const UNKNOWN_SHARE = 0.28

/** How far a snapshot is on its way to a file: a ring while it is prepared, then a mark that it can be dragged. */
export function DragMark({ item }: { readonly item: DragItem }) {
  const taskId = item.state === 'preparing' ? item.taskId : null
  const task = useModel((model) => (taskId ? model.tasks.get(taskId) : undefined))
  switch (item.state) {
    case 'cold':
      return null
    case 'preparing': {
      const share = shareOf(task?.progress)
      return (
        <span className="drag-mark" role="img" title={t.dragOut.preparing} aria-label={t.dragOut.preparing}>
          <svg viewBox="0 0 14 14" data-unknown={share === null || undefined} aria-hidden="true">
            <circle cx="7" cy="7" r={RADIUS} className="drag-ring-room" />
            <circle
              cx="7"
              cy="7"
              r={RADIUS}
              className="drag-ring"
              strokeDasharray={`${AROUND * Math.max(0.04, share ?? UNKNOWN_SHARE)} ${AROUND}`}
            />
          </svg>
        </span>
      )
    }
    case 'ready':
      return <Mark icon="export" look="ready" words={t.dragOut.isReady} />
    case 'choice':
      return <Mark icon="shield" look="choice" words={t.dragOut.choice} />
    case 'failed':
      return <Mark icon="warning" look="failed" words={t.dragOut.notReady(item.failure.message)} />
  }
}

function Mark(props: {
  readonly icon: 'export' | 'shield' | 'warning'
  readonly look: string
  readonly words: string
}) {
  return (
    <span className={`drag-mark ${props.look}`} role="img" title={props.words} aria-label={props.words}>
      <Icon name={props.icon} />
    </span>
  )
}
