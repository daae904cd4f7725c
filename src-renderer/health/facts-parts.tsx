import type { ReactNode } from 'react'
import type { UsageLimit } from '../../src-preload/contract/agents.ts'
import { contextTone, modelName } from '../bottles/agent-look.ts'
import { t } from '../ui/en.ts'
import { age, moment } from '../ui/format.ts'
import { CopyButton } from '../ui/pieces.tsx'
import { useNow } from '../ui/use-now.ts'
import type { StatusView } from './read-status.ts'
import { until } from './until.ts'

/** What the agent does, with which model, in which conversation. */
export function NowPart({ view, isRunning }: { readonly view: StatusView; readonly isRunning: boolean }) {
  const now = useNow(15_000)
  const lines: readonly (readonly [string, ReactNode])[] = [
    [t.health.model, view.model && <span title={view.model}>{modelName(view.model)}</span>],
    [t.health.doing, view.task && <span className="health-clip">{view.task}</span>],
    [t.health.lastMessage, view.lastMessage && <span className="health-clip">{view.lastMessage}</span>],
    [
      t.health.lastActivity,
      view.lastActivityAt && <span title={moment(view.lastActivityAt)}>{age(view.lastActivityAt, now)}</span>,
    ],
    [t.health.subagents, view.subagents ? t.health.subagentsRun(view.subagents) : null],
    [
      t.health.session,
      view.sessionId && (
        <>
          <span className="path">{view.sessionId}</span>
          <CopyButton text={view.sessionId} />
        </>
      ),
    ],
  ]
  const known = lines.filter(([, value]) => value)
  if (known.length === 0) return null
  return (
    <section>
      <h3>{isRunning ? t.health.now : t.health.lastKnown}</h3>
      <dl className="facts">
        {known.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

/** What it has cost, and how much is left of what its provider allows; nothing where the provider tells nothing. */
export function CostPart({ view }: { readonly view: StatusView }) {
  const now = useNow(30_000)
  if (view.costUsd === null && view.limits.length === 0) return null
  return (
    <section>
      <h3>{t.health.cost}</h3>
      {view.costUsd !== null && (
        <dl className="facts">
          <div>
            <dt>{t.health.costLabel}</dt>
            <dd className="number">{t.health.costOf(view.costUsd.toFixed(2))}</dd>
          </div>
        </dl>
      )}
      <ul className="health-limits">
        {view.limits.map((limit) => (
          <Limit key={limit.name} limit={limit} now={now} />
        ))}
      </ul>
    </section>
  )
}

function Limit({ limit, now }: { readonly limit: UsageLimit; readonly now: number }) {
  const { name, usedPercent, resetsAt } = limit
  return (
    <li>
      <span>
        {t.health.limitUsed(t.health.limitNames[name] ?? name, t.health.percent(usedPercent))}
        {resetsAt && (
          <span className="faint" title={moment(resetsAt)}>
            {' '}
            · {t.health.resets(until(resetsAt, now))}
          </span>
        )}
      </span>
      <span className={`health-bar thin ${contextTone(usedPercent)}`} aria-hidden="true">
        <i style={{ width: `${Math.min(100, Math.max(0, usedPercent))}%` }} />
      </span>
    </li>
  )
}
