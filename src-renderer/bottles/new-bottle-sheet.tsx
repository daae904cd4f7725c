import { useEffect, useState } from 'react'
import type { CallArgs, CallResult } from '../../src-preload/contract/calls.ts'
import type { StartPlan, Task } from '../../src-preload/contract/entities.ts'
import { useApp, useChangeView, useModel, useView } from '../state/app.ts'
import { type Draft, emptyDraft } from '../state/view.ts'
import { TaskStrip } from '../tasks/task-strip.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { Problem } from '../ui/pieces.tsx'
import { AgentPicker } from './agent-picker.tsx'
import { NewBottleFields } from './new-bottle-fields.tsx'
import { PlanView } from './plan-view.tsx'

type Definitions = CallResult<'agent:list'>

/**
 * Starts a new bottle. What was typed stays when the start fails or the sheet is closed; a dry run shows what
 * a start would do.
 */
export function NewBottleSheet() {
  const app = useApp()
  const change = useChangeView()
  const draft = useView((view) => view.draft)
  const [definitions, setDefinitions] = useState<Definitions | null>(null)
  const [failure, setFailure] = useState<Task['error']>(null)
  const [plan, setPlan] = useState<StartPlan | null>(null)
  const [isPlanning, setPlanning] = useState(false)
  const [taskId, setTaskId] = useState<string | null>(null)
  const [isAsking, setAsking] = useState(false)
  const task = useModel((model) => (taskId ? model.tasks.get(taskId) : undefined))
  const close = () => change({ overlay: null })
  const edit = (next: Partial<Draft>) =>
    app.view.update((view) => ({ ...view, draft: { ...view.draft, ...next } }))

  const { cwd } = draft
  useEffect(() => {
    let isOver = false
    const timer = setTimeout(
      async () => {
        const result = await app.bridge.call('agent:list', cwd.startsWith('/') ? { cwd } : {})
        if (isOver) return
        if (result.ok) setDefinitions(result.value)
        else setFailure(result.error)
      },
      cwd ? 300 : 0,
    )
    return () => {
      isOver = true
      clearTimeout(timer)
    }
  }, [app, cwd])

  const agents = definitions?.agents
  useEffect(() => {
    const usable = agents?.filter((agent) => !agent.problem)
    if (usable?.[0] && !usable.some((agent) => agent.name === app.view.get().draft.agent)) {
      const first = usable[0].name
      app.view.update((view) => ({ ...view, draft: { ...view.draft, agent: first } }))
    }
  }, [app, agents])

  // The task tells how the start went: done closes the sheet, a failure comes back to the form.
  useEffect(() => {
    if (!task || task.state === 'running') return
    setTaskId(null)
    if (task.state === 'done') {
      app.view.update((view) => ({
        ...view,
        overlay: null,
        draft: emptyDraft,
        section: 'bottles',
        tab: 'all',
        query: '',
        current: task.slug ?? view.current,
        isDetailOpen: true,
        detailTab: draft.isInteractive ? 'terminal' : 'logs',
        isTerminalWanted: draft.isInteractive,
      }))
    } else if (task.state === 'failed') setFailure(task.error)
  }, [app, task, draft.isInteractive])

  const start = async () => {
    setFailure(null)
    setAsking(true)
    const result = await app.operations.start(startArgs(draft))
    setAsking(false)
    if (result.ok) setTaskId(result.value.taskId)
    else setFailure(result.error)
  }
  const dryRun = async () => {
    setFailure(null)
    setPlanning(true)
    const result = await app.bridge.call('bottle:plan', startArgs(draft))
    setPlanning(false)
    if (result.ok) setPlan(result.value)
    else setFailure(result.error)
  }
  const isStarting = isAsking || task?.state === 'running'
  const canStart = draft.agent !== '' && (draft.isInteractive || draft.prompt.trim() !== '')

  return (
    <Dialog
      size="large"
      title={plan ? t.newBottle.planTitle : t.newBottle.title}
      onClose={close}
      footer={
        <>
          {plan ? (
            <Button icon="left" onClick={() => setPlan(null)}>
              {t.newBottle.backToForm}
            </Button>
          ) : (
            <Button isBusy={isPlanning} disabled={!draft.agent || isStarting} onClick={() => void dryRun()}>
              {t.newBottle.dryRun}
            </Button>
          )}
          <span className="room" />
          <Button onClick={close}>{t.action.cancel}</Button>
          <Button
            kind="primary"
            icon="play"
            isBusy={isStarting}
            disabled={!canStart}
            onClick={() => void start()}
          >
            {t.newBottle.start}
          </Button>
        </>
      }
    >
      {failure && (
        <Problem title={t.newBottle.failed} text={failure.message} detail={failure.detail ?? null}>
          <p className="faint">{t.newBottle.kept}</p>
        </Problem>
      )}
      {task?.state === 'running' && <TaskStrip task={task} />}
      {plan ? (
        <PlanView plan={plan} />
      ) : (
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault()
            if (canStart && !isStarting) void start()
          }}
        >
          <AgentPicker definitions={definitions} draft={draft} onChange={edit} onAdded={setDefinitions} />
          <NewBottleFields bottles={definitions?.bottles ?? []} draft={draft} onChange={edit} />
        </form>
      )}
    </Dialog>
  )
}

/** The call's arguments: what was left empty is not sent, so that the definitions decide. */
function startArgs(draft: Draft): CallArgs<'bottle:start'> {
  return {
    agent: draft.agent,
    interactive: draft.isInteractive,
    ...(draft.prompt.trim() ? { prompt: draft.prompt } : {}),
    ...(draft.bottles.length ? { bottles: [...draft.bottles] } : {}),
    ...(draft.label.trim() ? { label: draft.label.trim() } : {}),
    ...(draft.color ? { color: draft.color } : {}),
    ...(draft.backend ? { backend: draft.backend } : {}),
    ...(draft.cwd.trim() ? { cwd: draft.cwd.trim() } : {}),
    ...(draft.copyCwd ? { copyCwd: true } : {}),
    ...(draft.unenforcedEgress ? { unenforcedEgress: true } : {}),
    ...(draft.allowMissingSecrets ? { allowMissingSecrets: true } : {}),
  }
}
