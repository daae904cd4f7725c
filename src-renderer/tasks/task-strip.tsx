import type { Task } from '../../src-preload/contract/entities.ts'
import { useApp } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { ProgressBar } from '../ui/pieces.tsx'
import { percent, progressWords, shareOf } from './progress-words.ts'

/** A running task in place: what it does, how far it is, and a way to cancel it. */
export function TaskStrip({ task }: { readonly task: Task }) {
  const { operations } = useApp()
  const share = shareOf(task.progress)
  return (
    <div className="task-strip">
      <div className="task-strip-words">
        <strong>{t.doing(task.kind, '')}</strong>
        <span className="soft one-line number">{progressWords(task)}</span>
        <span className="number soft task-percent">{percent(task.progress)}</span>
        <Button kind="link" onClick={() => void operations.cancel(task)}>
          {t.action.cancel}
        </Button>
      </div>
      <ProgressBar share={share} label={t.doing(task.kind, task.slug ?? '')} />
    </div>
  )
}
