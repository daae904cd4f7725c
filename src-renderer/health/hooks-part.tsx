import { useState } from 'react'
import type { ConfiguredHook, HookPoint, HookRecord } from '../../src-preload/contract/agents.ts'
import { useApp } from '../state/app.ts'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { age, duration, moment } from '../ui/format.ts'
import { Icon, type IconName } from '../ui/icons.tsx'
import { Problem } from '../ui/pieces.tsx'
import { useNow } from '../ui/use-now.ts'
import type { Hooks, Reading } from './use-agent.ts'

/** Entries of the journal that are shown. */
const SHOWN = 50

/** The hooks of a definition by point, each with a way to try it, and what hooks did. */
export function HooksPart(props: {
  readonly slug: string
  readonly hooks: Reading<Hooks>
  readonly onTried: () => void
}) {
  const { value, failure } = props.hooks
  if (failure && !value)
    return <Problem title={t.health.hooksFailed} text={failure.message} detail={failure.detail ?? null} />
  if (!value) return null
  const points = Object.entries(value.configured).filter(([, entries]) => entries && entries.length > 0)
  return (
    <>
      <section>
        <h3>{t.health.hooks}</h3>
        {points.length === 0 && <p className="faint">{t.health.hooksNone}</p>}
        <ul className="hook-points">
          {points.map(([point, entries]) => (
            <Point
              key={point}
              slug={props.slug}
              point={point as HookPoint}
              entries={entries ?? []}
              onTried={props.onTried}
            />
          ))}
        </ul>
      </section>
      {(points.length > 0 || value.journal.length > 0) && <Journal records={value.journal} />}
    </>
  )
}

function Point(props: {
  readonly slug: string
  readonly point: HookPoint
  readonly entries: readonly ConfiguredHook[]
  readonly onTried: () => void
}) {
  const { bridge, toasts } = useApp()
  const { slug, point } = props
  const [isBusy, setBusy] = useState(false)
  const [tried, setTried] = useState<readonly HookRecord[] | null>(null)
  const attempt = async () => {
    setBusy(true)
    const result = await bridge.call('agent:try-hook', { slug, point })
    setBusy(false)
    if (result.ok) {
      setTried(result.value)
      props.onTried()
    } else {
      const { message, detail } = result.error
      toasts.add({
        tone: 'bad',
        title: t.health.tryFailed(point),
        text: message,
        detail: detail ?? null,
        actions: [],
      })
    }
  }
  const good = tried?.filter(({ outcome }) => outcome === 'done').length ?? 0
  return (
    <li className="hook-point">
      <header>
        <code>{point}</code>
        <span className="faint small one-line">{t.health.point[point]}</span>
        <Button isBusy={isBusy} aria-label={t.health.tryPoint(point)} onClick={() => void attempt()}>
          {t.health.try}
        </Button>
      </header>
      <ul className="hook-entries">
        {props.entries.map((entry, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same hook may stand there twice, in this order
          <li key={index}>
            <Icon name={entry.kind === 'url' ? 'push' : 'terminal'} />
            <span>
              <code className="selectable">{entry.run}</code>
              <span className="faint small">
                {[t.health.timeout(entry.timeoutSeconds), entry.required && t.health.required]
                  .filter(Boolean)
                  .join(' · ')}
              </span>
            </span>
          </li>
        ))}
      </ul>
      <p className="hidden-but-read" role="status">
        {tried ? t.health.tried(point, good, tried.length) : ''}
      </p>
      {tried && (
        <ul className="hook-records">
          {tried.map((record) => (
            <Record key={`${record.at}${record.run}`} record={record} isOpen />
          ))}
        </ul>
      )}
    </li>
  )
}

function Journal({ records }: { readonly records: readonly HookRecord[] }) {
  const newest = [...records].sort((a, b) => b.at.localeCompare(a.at)).slice(0, SHOWN)
  return (
    <section>
      <h3>{t.health.journal}</h3>
      {newest.length === 0 && <p className="faint">{t.health.journalNone}</p>}
      <ul className="hook-records">
        {newest.map((record) => (
          <Record key={`${record.at}${record.point}${record.run}`} record={record} />
        ))}
      </ul>
    </section>
  )
}

const MARKS: Readonly<Record<HookRecord['outcome'], readonly [IconName, string]>> = {
  done: ['check', 'good-mark'],
  failed: ['cross', 'bad-mark'],
  timeout: ['hourglass', 'bad-mark'],
}

function Record({ record, isOpen = false }: { readonly record: HookRecord; readonly isOpen?: boolean }) {
  const now = useNow(30_000)
  const [icon, mark] = MARKS[record.outcome]
  return (
    <li>
      <details className="hook-record" open={isOpen}>
        <summary>
          <Icon name={icon} className={mark} />
          <code>{record.point}</code>
          <span className="one-line">
            {t.health.outcome[record.outcome]}
            {record.outcome === 'failed' && record.code !== null && (
              <span className="faint"> · {t.health.code(record.code, record.kind === 'url')}</span>
            )}
          </span>
          {record.isTrial && <span className="badge">{t.health.trial}</span>}
          <span className="faint number hook-when" title={moment(record.at)}>
            {age(record.at, now)} · {duration(record.durationMs)}
          </span>
        </summary>
        <p>
          <code className="selectable">{record.run}</code>
        </p>
        {record.output.trim() ? (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
          <pre className="scroll" tabIndex={0}>
            {record.output.trimEnd()}
          </pre>
        ) : (
          <p className="faint small">{t.health.noOutput}</p>
        )}
      </details>
    </li>
  )
}
