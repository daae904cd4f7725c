import type { Lifecycle } from '../../agents/lifecycle.ts'
import type { Due } from './decide.ts'
import type { AgentState } from './supervision.ts'

/** Milliseconds of silence after which output counts as ended, so that a look sees what it came to. */
const QUIET_MS = 1500
/** Milliseconds between two looks at least. */
const MIN_GAP_MS = 1000
const MINUTE_MS = 60_000
/** Percent below the trigger from which the context is looked at by the clock. */
const NEAR_PERCENT = 10

/**
 * When each thing is due for an agent, null for never: all of it follows from the state, so a supervisor that comes
 * anew has the same clock. An agent that waits and says nothing has no look due. Pure.
 */
export function dues(
  state: AgentState,
  lifecycle: Lifecycle,
  hasAccess: boolean,
): Readonly<Record<Due, number | null>> {
  const { isRunning } = state
  return {
    look: isRunning && hasAccess ? lookDue(state, lifecycle) : null,
    exit: isRunning ? null : state.freezes.retryAt,
    again: isRunning ? (state.freezes.again?.at ?? null) : null,
    restart: isRunning ? null : state.restarts.nextAt,
    idle: isRunning ? idleDue(state, lifecycle) : null,
    interval: isRunning ? intervalDue(state, lifecycle) : null,
    context: isRunning ? contextDue(state, lifecycle) : null,
  }
}

function lookDue(state: AgentState, lifecycle: Lifecycle): number | null {
  const { lastLookAt, lastOutputAt, unseenSince } = state
  const intervalMs = lifecycle.health.intervalSeconds * 1000
  // The first one is asked for when the agent is armed.
  if (lastLookAt === null) return null
  if (unseenSince !== null && lastOutputAt !== null) {
    const whenQuiet = Math.max(lastOutputAt + QUIET_MS, lastLookAt + MIN_GAP_MS)
    const whileBusy = Math.max(unseenSince + QUIET_MS, lastLookAt + intervalMs)
    return Math.min(whenQuiet, whileBusy)
  }
  if (state.sample?.state !== 'working') return null
  // Whether it hangs can be told only once it has been silent for so long.
  const stuckAt = (lastOutputAt ?? lastLookAt) + lifecycle.health.stuckSeconds * 1000
  return stuckAt > lastLookAt ? stuckAt : null
}

function idleDue(state: AgentState, lifecycle: Lifecycle): number | null {
  const minutes = lifecycle.autoFreeze.idleMinutes
  const { sample, freezes } = state
  if (minutes === null || freezes.idle || freezes.cannot || sample?.state !== 'waiting') return null
  const since = Math.max(Date.parse(sample.since) || 0, state.lastOutputAt ?? 0)
  return since + minutes * MINUTE_MS
}

function intervalDue(state: AgentState, lifecycle: Lifecycle): number | null {
  const minutes = lifecycle.autoFreeze.everyMinutes
  if (minutes === null || state.freezes.cannot) return null
  return state.freezes.lastAt + minutes * MINUTE_MS
}

function contextDue(state: AgentState, lifecycle: Lifecycle): number | null {
  const { strategy, triggerPercent, checkIntervalSeconds } = lifecycle.context
  const percent = state.sample?.contextPercent ?? null
  if (strategy === 'noop' || percent === null || state.lastContextAt === null) return null
  if (percent < triggerPercent - NEAR_PERCENT) return null
  return state.lastContextAt + checkIntervalSeconds * 1000
}
