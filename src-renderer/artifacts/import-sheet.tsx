import { useEffect } from 'react'
import type { Snapshot, Task } from '../../src-preload/contract/entities.ts'
import { agentName, backendName } from '../bottles/bottle-look.ts'
import { openDetail } from '../bottles/bottle-verbs.ts'
import { useApp, useChangeView, useModel } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { percent, progressWords, shareOf } from '../tasks/progress-words.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { t } from '../ui/en.ts'
import { bytes } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { ProgressBar } from '../ui/pieces.tsx'
import type { ImportedFile } from './file-transfer.ts'

/** What came in and what became of it: each file with its checks, and the bottle that was made of it. */
export function ImportSheet({ files }: { readonly files: readonly ImportedFile[] }) {
  const change = useChangeView()
  const tasks = useModel((model) => model.tasks)
  const isRunning = files.some(({ taskId }) => tasks.get(taskId)?.state === 'running')
  const close = () => change({ overlay: null })
  return (
    <Dialog
      size="medium"
      title={t.importSheet.title(files.length)}
      onClose={close}
      footer={
        <>
          {isRunning && <span className="soft">{t.importSheet.goesOn}</span>}
          <span className="room" />
          <Button kind={isRunning ? 'plain' : 'primary'} autoFocus onClick={close}>
            {isRunning ? t.importSheet.hide : t.importSheet.close}
          </Button>
        </>
      }
    >
      <ul className="imports" aria-live="polite">
        {files.map((file) => (
          <ImportLine key={file.taskId} file={file} task={tasks.get(file.taskId)} />
        ))}
      </ul>
    </Dialog>
  )
}

function ImportLine({ file, task }: { readonly file: ImportedFile; readonly task: Task | undefined }) {
  const state = task?.state ?? 'running'
  const name = file.name ?? task?.slug ?? t.importSheet.unnamed
  return (
    <li className="import-line" data-state={state}>
      <div className="import-head">
        <Icon
          name={MARKS[state]}
          className={state === 'running' ? 'spin accent-mark' : state === 'done' ? 'good-mark' : 'bad-mark'}
        />
        <strong className="one-line">{name}</strong>
        {file.bytes !== null && <span className="faint number">{bytes(file.bytes)}</span>}
      </div>
      {state === 'running' && <Running task={task} name={name} />}
      {(state === 'failed' || state === 'cancelled') && (
        <p className="import-problem selectable">{task?.error?.message ?? t.importSheet.cancelled}</p>
      )}
      {state === 'done' && task?.slug && <Imported slug={task.slug} message={task.message ?? ''} />}
    </li>
  )
}

const MARKS = { running: 'busy', done: 'check', failed: 'warning', cancelled: 'close' } as const

function Running({ task, name }: { readonly task: Task | undefined; readonly name: string }) {
  const { operations } = useApp()
  return (
    <>
      <div className="import-progress">
        <span className="soft one-line number">{task ? progressWords(task) : ''}</span>
        <span className="soft number">{percent(task?.progress ?? null)}</span>
        {task && (
          <Button kind="link" onClick={() => void operations.cancel(task)}>
            {t.action.cancel}
          </Button>
        )}
      </div>
      <ProgressBar share={shareOf(task?.progress)} label={t.doing('import', name)} />
    </>
  )
}

function Imported({ slug, message }: { readonly slug: string; readonly message: string }) {
  const app = useApp()
  const change = useChangeView()
  const bottle = useModel((model) => model.bottles.get(slug))
  const platform = useModel((model) => model.platform)
  const snapshot = useCurrent(slug, bottle?.currentSnapshot ?? null)
  const notices = message.replace(/^Imported \S+?\.\s*/, '')
  const leave = (run: () => void) => () => {
    change({ overlay: null })
    run()
  }
  return (
    <>
      <dl className="import-facts">
        <Fact name={t.importSheet.bottle} value={slug} />
        {bottle && <Fact name={t.importSheet.agent} value={bottle.agent || agentName(bottle)} />}
        {bottle && <Fact name={t.importSheet.engine} value={backendName(bottle.backend, platform)} />}
        {snapshot && <Fact name={t.importSheet.fidelity} value={t.fidelity[snapshot.fidelity]} />}
        {snapshot && <Fact name={t.importSheet.size} value={sizeOf(snapshot)} />}
      </dl>
      <p className="import-check">
        <Icon name="shield" className="good-mark" />
        {t.importSheet.checked}
      </p>
      {notices && <p className="soft selectable import-notices">{notices}</p>}
      {snapshot && snapshot.leftOut.length > 0 && (
        <p className="soft import-notices">{t.timeline.leftOut(snapshot.leftOut)}</p>
      )}
      <div className="import-verbs">
        <Button onClick={leave(() => openDetail(app, slug, 'overview'))}>{t.action.show}</Button>
        <Button icon="play" onClick={leave(() => void app.operations.resume(slug))}>
          {t.action.resume}
        </Button>
      </div>
    </>
  )
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="one-line" title={value}>
        {value}
      </dd>
    </div>
  )
}

function sizeOf({ bytes: whole, ownBytes }: Snapshot): string {
  return ownBytes === null ? bytes(whole) : t.importSheet.aboveBase(bytes(whole), bytes(ownBytes))
}

/** The record of what was imported, read once the bottle is in the list. */
function useCurrent(slug: string, id: string | null): Snapshot | undefined {
  const { details } = useApp()
  useEffect(() => {
    if (id) void details.load(slug)
  }, [details, slug, id])
  return useStore(details.store, (all) => all.get(slug)?.detail?.tree.find((item) => item.id === id))
}
