import { useMemo } from 'react'
import { engineWord } from '../engines/engine-mark.tsx'
import { presentEngines } from '../engines/present-engines.ts'
import { useApp, useChangeView, useModel } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'
import { progressWords, shareOf } from '../tasks/progress-words.ts'
import { t } from '../ui/en.ts'
import { bytes } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { ProgressBar } from '../ui/pieces.tsx'

/** At the bottom: engines, what is being done, and the disk. */
export function StatusBar() {
  const { link } = useApp()
  const isConnected = useStore(link, (now) => now.isConnected)
  const allEngines = useModel((model) => model.engines)
  const bottles = useModel((model) => model.bottleList)
  const engines = useMemo(() => presentEngines(allEngines, bottles), [allEngines, bottles])
  const tasks = useModel((model) => model.taskList)
  const disk = useModel((model) => model.disk)
  const change = useChangeView()
  const running = tasks.filter((task) => task.state === 'running')
  const first = running[0]
  return (
    <footer className="status">
      {!isConnected && (
        <span className="status-item offline">
          <Icon name="warning" /> {t.status.offline}
        </span>
      )}
      <button
        type="button"
        className="status-item status-engines"
        onClick={() => change({ section: 'engines' })}
      >
        {engines.map((engine) => (
          <span
            key={engine.name}
            className={`status-engine ${engine.state}`}
            title={engine.reason ?? engineWord(engine)}
          >
            <i className={`engine-dot ${engine.state}`} aria-hidden="true" />
            {engine.title}
            {engine.state !== 'ready' && (
              <span className="status-word"> {engineWord(engine).toLowerCase()}</span>
            )}
          </span>
        ))}
      </button>
      <span className="room" />
      {first && (
        <button
          type="button"
          className="status-item status-task"
          onClick={() => change({ section: 'activity' })}
        >
          <ProgressBar share={shareOf(first.progress)} label={t.doing(first.kind, first.slug ?? '')} />
          <span className="one-line">
            {t.doing(first.kind, first.slug ?? '')}
            {first.progress && <span className="status-phase"> · {progressWords(first)}</span>}
          </span>
          {running.length > 1 && <span className="count number">{t.status.more(running.length - 1)}</span>}
        </button>
      )}
      {disk && (
        <span className="status-item number one-line status-disk">
          <Icon name="disk" />
          {t.status.disk(bytes(disk.freeBytes), bytes(disk.snapshotBytes))}
        </span>
      )}
    </footer>
  )
}
