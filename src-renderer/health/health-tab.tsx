import './health.css'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import { agentLook, isWaiting } from '../bottles/bottle-look.ts'
import { StatePill } from '../bottles/state-pill.tsx'
import { Button } from '../ui/button.tsx'
import { t } from '../ui/en.ts'
import { age, duration, moment } from '../ui/format.ts'
import { Problem } from '../ui/pieces.tsx'
import { useNow } from '../ui/use-now.ts'
import { ContextPart } from './context-part.tsx'
import { CostPart, NowPart } from './facts-parts.tsx'
import { HooksPart } from './hooks-part.tsx'
import type { StatusView } from './read-status.ts'
import { RestartsPart } from './restarts-part.tsx'
import { SendBox } from './send-box.tsx'
import { Signals } from './signals.tsx'
import { useAgent } from './use-agent.ts'

/** How a definition asks to be looked after, as its own lines. */
const SAMPLE = `health:
  enabled: true
restart:
  policy: on-failure
context_management:
  strategy: compact
auto_freeze:
  on_exit: true`

/** How the agent fares, and what its definition has done about it. */
export function HealthTab({ bottle }: { readonly bottle: Bottle }) {
  const { status, isLookedAfter, hooks, again } = useAgent(bottle)
  const view = status.value
  const isAsking = isWaiting(bottle)
  const restarts = view?.restarts && <RestartsPart bottle={bottle} restarts={view.restarts} />
  // What waits for a person, or for its time, comes first.
  const needsLook = Boolean(view?.restarts?.gaveUp ?? view?.restarts?.nextAt)
  const screen = view && view.screen.length > 0 && <Screen slug={bottle.slug} lines={view.screen} />
  return (
    <div className="health">
      {status.failure && (
        <Problem title={t.health.failed} text={status.failure.message} detail={status.failure.detail ?? null}>
          <Button onClick={again}>{t.action.tryAgain}</Button>
        </Problem>
      )}
      {view && !isLookedAfter && <NotLookedAfter />}
      {view && isLookedAfter && <Head bottle={bottle} view={view} />}
      {isLookedAfter && needsLook && restarts}
      {isLookedAfter && bottle.state === 'running' && (
        <SendBox
          bottle={bottle}
          isWaiting={bottle.agentState === 'waiting'}
          hasQuestion={Boolean(bottle.health?.reason)}
          onSent={again}
        />
      )}
      {isAsking && screen}
      {view && isLookedAfter && (
        <>
          {view.seenAt && <Signals signals={view.signals} />}
          <ContextPart bottle={bottle} context={view.context} />
          <NowPart view={view} isRunning={bottle.state === 'running'} />
          <CostPart view={view} />
          {!needsLook && restarts}
        </>
      )}
      <HooksPart slug={bottle.slug} hooks={hooks} onTried={again} />
      {!isAsking && screen}
    </div>
  )
}

function NotLookedAfter() {
  return (
    <section className="health-none">
      <h3>{t.health.noneTitle}</h3>
      <p>{t.health.none}</p>
      <details>
        <summary>{t.health.noneHow}</summary>
        <p>{t.health.noneHint}</p>
        <pre>{SAMPLE}</pre>
      </details>
    </section>
  )
}

const SECOND = 1000

function Head({ bottle, view }: { readonly bottle: Bottle; readonly view: StatusView }) {
  const now = useNow(5000)
  const look = agentLook(bottle.state === 'running' ? (bottle.agentState ?? view.state) : view.state)
  const reason = bottle.health?.reason ?? view.reason
  if (!view.seenAt) return <p className="faint">{t.health.notYet}</p>
  return (
    <section className="health-head">
      <p className="health-state">
        {look && <StatePill look={look} />}
        {view.since && (
          <span className="soft" title={moment(view.since)}>
            {t.health.since(duration(Math.max(SECOND, now - Date.parse(view.since))))}
          </span>
        )}
        <span className="faint health-seen" title={moment(view.seenAt)}>
          {t.health.lookedAt(age(view.seenAt, now))}
        </span>
      </p>
      {reason && <p className="health-reason selectable">{reason}</p>}
    </section>
  )
}

function Screen({ slug, lines }: { readonly slug: string; readonly lines: readonly string[] }) {
  return (
    <section>
      <h3>{t.health.screen}</h3>
      <section
        className="health-screen scroll"
        aria-label={t.health.screenLabel(slug)}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        tabIndex={0}
      >
        <pre>{lines.join('\n')}</pre>
      </section>
    </section>
  )
}
