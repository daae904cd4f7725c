import type { Task } from '../../src-preload/contract/entities.ts'
import { useApp, useModel, useView } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'

/** Asks what a task needs to know before it goes on; not over another dialog, whose keys are meant for that one. */
export function Questions() {
  const task = useModel((model) => model.taskList.findLast((item) => item.question !== null))
  const isCovered = useView((view) => view.overlay !== null)
  return task && !isCovered ? <QuestionDialog key={task.id} task={task} /> : null
}

/** A bottle has to be stopped to be frozen: why, and that Cancel leaves it as it is. */
function QuestionDialog({ task }: { readonly task: Task }) {
  const { operations } = useApp()
  const decline = () => void operations.answer(task, false)
  return (
    <Dialog
      isAlert
      title={t.stopQuestion.title(task.slug ?? '')}
      onClose={decline}
      footer={
        <>
          <span className="room" />
          <Button autoFocus onClick={decline}>
            {t.action.cancel}
          </Button>
          <Button kind="primary" icon="snow" onClick={() => void operations.answer(task, true)}>
            {t.stopQuestion.agree}
          </Button>
        </>
      }
    >
      <p className="selectable">{task.question}</p>
      <p className="soft">{t.stopQuestion.unchanged}</p>
    </Dialog>
  )
}
