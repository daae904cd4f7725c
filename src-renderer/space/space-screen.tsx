import { useCallback, useEffect, useState } from 'react'
import type { SpaceUsage } from '../../src-preload/contract/artifacts.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import { openDetail } from '../bottles/bottle-verbs.ts'
import { useApp, useChangeView, useModel } from '../state/app.ts'
import { Blank } from '../ui/blank.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { bytes } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { Page } from '../ui/page.tsx'
import { Problem, ProgressBar } from '../ui/pieces.tsx'
import { type BottleSpace, byBottle, type Part, partsOf } from './space-parts.ts'

/** What frozen bottles take up, and the way to get some of it back. */
export function SpaceScreen() {
  const { bridge } = useApp()
  const change = useChangeView()
  const [usage, setUsage] = useState<SpaceUsage | null>(null)
  const [failure, setFailure] = useState<Failure | null>(null)
  const [isReading, setReading] = useState(true)
  const read = useCallback(async () => {
    setReading(true)
    const result = await bridge.call('space:usage', {})
    setReading(false)
    setFailure(result.ok ? null : result.error)
    if (result.ok) setUsage(result.value)
  }, [bridge])
  // What frees or takes space ends as a task.
  const ended = useModel((model) => model.taskList.filter((task) => task.state !== 'running').length)
  // biome-ignore lint/correctness/useExhaustiveDependencies: an ended task is what asks for a new count
  useEffect(() => void read(), [read, ended])
  return (
    <Page
      title={t.section.space}
      lead={t.space.lead}
      actions={
        <>
          <IconButton
            icon="restart"
            label={t.space.again}
            className="framed"
            isBusy={isReading}
            onClick={() => void read()}
          />
          <Button icon="thin" onClick={() => change({ overlay: { kind: 'thin' } })}>
            {t.space.thin}
          </Button>
        </>
      }
    >
      {failure && <Problem title={t.space.failed} text={failure.message} detail={failure.detail ?? null} />}
      {!usage && !failure && (
        <div role="status" className="space-wait">
          <p className="faint">{t.space.reading}</p>
          <ProgressBar share={null} label={t.space.reading} />
        </div>
      )}
      {usage && <Usage usage={usage} />}
    </Page>
  )
}

function Usage({ usage }: { readonly usage: SpaceUsage }) {
  const parts = partsOf(usage)
  const bottles = byBottle(usage.snapshots)
  return (
    <>
      {usage.notices.length > 0 && (
        <ul className="notices space-notices">
          {usage.notices.map((notice) => (
            <li key={notice}>
              <Icon name="warning" />
              <span>{notice}</span>
            </li>
          ))}
        </ul>
      )}
      <section className="card space-card" aria-label={t.space.bar}>
        <Bar parts={parts} />
        <dl className="space-legend">
          {parts.map((part) => (
            <div key={part.name}>
              <dt>
                <i className={`space-dot ${part.name}`} aria-hidden="true" />
                {t.space.parts[part.name]}
              </dt>
              <dd className="number">
                {bytes(part.bytes)}
                {part.name === 'store' && usage.storeUnusedBytes > 0 && (
                  <small className="faint">{t.space.unused(bytes(usage.storeUnusedBytes))}</small>
                )}
              </dd>
            </div>
          ))}
        </dl>
      </section>
      <section className="page-section">
        <h2>{t.space.byBottle}</h2>
        {bottles.length === 0 ? (
          <Blank isSmall icon="snow" title={t.space.none} text={t.space.noneText} />
        ) : (
          <ul className="cards tight">
            {bottles.map((bottle) => (
              <BottleLine key={bottle.slug} bottle={bottle} largest={bottles[0]?.uniqueBytes ?? 0} />
            ))}
          </ul>
        )}
      </section>
    </>
  )
}

function Bar({ parts }: { readonly parts: readonly Part[] }) {
  const all = Math.max(
    1,
    parts.reduce((sum, part) => sum + part.bytes, 0),
  )
  const words = parts.map((part) => `${t.space.parts[part.name]} ${bytes(part.bytes)}`).join(', ')
  return (
    <div className="space-bar" role="img" aria-label={words}>
      {parts
        .filter((part) => part.bytes > 0)
        .map((part) => (
          <i
            key={part.name}
            className={part.name}
            style={{ flexGrow: part.bytes / all }}
            title={`${t.space.parts[part.name]}: ${bytes(part.bytes)}`}
          />
        ))}
    </div>
  )
}

function BottleLine({ bottle, largest }: { readonly bottle: BottleSpace; readonly largest: number }) {
  const app = useApp()
  const isThere = useModel((model) => model.bottles.has(bottle.slug))
  return (
    <li className="card line-card">
      <div className="line-card-words">
        <strong className="one-line selectable">{bottle.slug}</strong>
        <span className="faint one-line number">{t.list.snapshots(bottle.count)}</span>
      </div>
      <span className="space-share" aria-hidden="true">
        <i style={{ width: `${largest > 0 ? (bottle.uniqueBytes / largest) * 100 : 0}%` }} />
      </span>
      <strong className="number space-size">{bytes(bottle.uniqueBytes)}</strong>
      {isThere && (
        <IconButton
          icon="right"
          label={t.space.showTimeline(bottle.slug)}
          onClick={() => openDetail(app, bottle.slug, 'timeline')}
        />
      )}
    </li>
  )
}
