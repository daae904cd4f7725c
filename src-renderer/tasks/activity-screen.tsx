import { useState } from 'react'
import type { Task } from '../../src-preload/contract/entities.ts'
import { openDetail } from '../bottles/bottle-verbs.ts'
import { useApp, useModel } from '../state/app.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { age, duration, moment } from '../ui/format.ts'
import { Icon, type IconName } from '../ui/icons.tsx'
import { Page } from '../ui/page.tsx'
import { ProgressBar } from '../ui/pieces.tsx'
import { useNow } from '../ui/use-now.ts'
import { ActivityStream } from './activity-stream.tsx'
import { percent, progressWords, shareOf } from './progress-words.ts'

/** Ended tasks that are shown before somebody asks for all. */
const FEW = 3

/** What runs now, what has ended, and what happened to all bottles, newest first. */
export function ActivityScreen() {
  const tasks = useModel((model) => model.taskList)
  const running = tasks.filter((task) => task.state === 'running')
  const ended = tasks.filter((task) => task.state !== 'running')
  const [isLong, setLong] = useState(false)
  return (
    <Page title={t.section.activity} lead={t.activity.lead}>
      {running.length > 0 && (
        <section className="page-section">
          <h2>{t.activity.running}</h2>
          <ul className="cards tight">
            {running.map((task) => (
              <RunningTask key={task.id} task={task} />
            ))}
          </ul>
        </section>
      )}
      {ended.length > 0 && (
        <section className="page-section">
          <h2>{t.activity.ended}</h2>
          <ul className="cards tight">
            {(isLong ? ended : ended.slice(0, FEW)).map((task) => (
              <EndedTask key={task.id} task={task} />
            ))}
          </ul>
          {ended.length > FEW && !isLong && (
            <Button className="stream-more" onClick={() => setLong(true)}>
              {t.activity.showAll(ended.length)}
            </Button>
          )}
        </section>
      )}
      <ActivityStream isAlone={tasks.length === 0} />
    </Page>
  )
}

function RunningTask({ task }: { readonly task: Task }) {
  const { operations } = useApp()
  return (
    <li className="card line-card">
      <Icon name="busy" className="spin accent-mark" />
      <div className="line-card-words">
        <strong className="one-line">{t.doing(task.kind, task.slug ?? '')}</strong>
        <span className="faint one-line number">
          {progressWords(task)} {percent(task.progress)}
        </span>
        <ProgressBar share={shareOf(task.progress)} label={t.doing(task.kind, task.slug ?? '')} />
      </div>
      <Button onClick={() => void operations.cancel(task)}>{t.action.cancel}</Button>
    </li>
  )
}

const MARKS: Readonly<Record<Exclude<Task['state'], 'running'>, readonly [IconName, string]>> = {
  done: ['check', 'good-mark'],
  failed: ['cross', 'bad-mark'],
  cancelled: ['close', ''],
}

function EndedTask({ task }: { readonly task: Task }) {
  const app = useApp()
  const now = useNow(30_000)
  const isThere = useModel((model) => task.slug !== null && model.bottles.has(task.slug))
  if (task.state === 'running') return null
  const [icon, mark] = MARKS[task.state]
  const words = { done: t.taskDone, failed: t.taskFailed, cancelled: t.taskCancelled }[task.state]
  const took = task.endedAt ? Date.parse(task.endedAt) - Date.parse(task.startedAt) : 0
  const title = words(task.kind, task.slug ?? '')
  const message = task.error?.message ?? task.message
  return (
    <li className="card line-card">
      <Icon name={icon} className={mark} />
      <div className="line-card-words">
        <strong className="one-line">{title}</strong>
        {message && <span className="soft selectable task-message">{message}</span>}
        {task.error?.detail && (
          <details>
            <summary>{t.details}</summary>
            <pre className="scroll">{task.error.detail}</pre>
          </details>
        )}
      </div>
      <span className="faint number line-card-time" title={moment(task.startedAt)}>
        {age(task.endedAt ?? task.startedAt, now)} · {t.activity.took(duration(took))}
      </span>
      {isThere && task.slug && (
        <IconButton
          icon="right"
          label={t.action.show}
          onClick={() => openDetail(app, task.slug ?? '', 'overview')}
        />
      )}
      <IconButton icon="close" label={t.action.forget} onClick={() => void app.operations.dismiss(task)} />
    </li>
  )
}
