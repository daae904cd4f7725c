import type { Lifecycle } from '../../agents/lifecycle.ts'
import type { RunEnd } from './back-off.ts'
import type { Action, Decision } from './decide.ts'
import type { AgentState, FreezeRule } from './supervision.ts'

/** What came of a freeze by rule. */
export interface FrozenEvent {
  readonly kind: 'frozen'
  readonly rule: FreezeRule
  /** The snapshot's note, with which it is tried again. */
  readonly note: string
  readonly outcome: 'done' | 'unsupported' | 'failed'
  readonly message: string
}

/** Times that a failed freeze at an agent's end is tried again, and milliseconds before the first of them. */
const EXIT_RETRIES = 5
const RETRY_MS = 30_000
const LONGEST_RETRY_MS = 3_600_000

export function freezeAction(rule: FreezeRule, note: string): Action {
  return { kind: 'freeze', rule, note }
}

export function exitFreeze(end: RunEnd | null): Action {
  const how = end?.isStopped
    ? 'was stopped'
    : end?.code === null || end === null
      ? 'ended'
      : `exited with code ${end.code}`
  return freezeAction('exit', `Frozen when the agent ${how}.`)
}

/** What a freeze by rule leads to. Pure. */
export function afterFreeze(
  state: AgentState,
  event: FrozenEvent,
  lifecycle: Lifecycle,
  now: number,
): Decision {
  const { freezes } = state
  if (event.outcome === 'unsupported') {
    const text = `No rule freezes this agent: ${event.message}`
    const exit = event.rule === 'exit' ? ('gave-up' as const) : freezes.exit
    return {
      state: { ...state, freezes: { ...freezes, exit, retryAt: null, again: null, cannot: true } },
      actions: freezes.cannot ? [] : [{ kind: 'tell', text, isFailure: false }],
    }
  }
  if (event.outcome === 'failed') {
    const told: Action = { kind: 'tell', text: `Not frozen by rule: ${event.message}`, isFailure: true }
    const failed: AgentState = { ...state, isDirty: true }
    return event.rule === 'exit'
      ? afterFailedEnd(failed, told, now)
      : { state: withAgain(failed, event, lifecycle, now), actions: [told] }
  }
  const exit = event.rule === 'exit' ? ('done' as const) : freezes.exit
  return { state: { ...state, freezes: { ...freezes, exit, again: null, lastAt: now } }, actions: [] }
}

/** Of an end there is no other occasion, so it has tries of its own; after the last of them a person has to come. */
function afterFailedEnd(state: AgentState, told: Action, now: number): Decision {
  const { freezes } = state
  if (freezes.retries >= EXIT_RETRIES) {
    const text = 'The freeze at its end is not tried again; `icebox freeze` takes one.'
    return {
      state: { ...state, freezes: { ...freezes, exit: 'gave-up', retryAt: null } },
      actions: [told, { kind: 'tell', text, isFailure: true }],
    }
  }
  const retryAt = now + RETRY_MS * 2 ** freezes.retries
  return {
    state: { ...state, freezes: { ...freezes, retryAt, retries: freezes.retries + 1 } },
    actions: [told],
  }
}

/**
 * The occasion of an idle or context freeze does not come back by itself, so the freeze does. The interval has its own
 * clock, and what a freeze would have come before asks for it anew.
 */
function withAgain(state: AgentState, event: FrozenEvent, lifecycle: Lifecycle, now: number): AgentState {
  const { rule, note } = event
  const isOwn =
    rule === 'idle' ||
    rule === 'context' ||
    (rule === 'before-context' && lifecycle.context.strategy === 'freeze')
  if (!isOwn) return state
  const { freezes } = state
  const tries = freezes.again?.tries ?? 0
  const at = now + Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** tries)
  return { ...state, freezes: { ...freezes, again: { rule, note, at, tries: tries + 1 } } }
}

/** A freeze that failed is tried again; its time goes, its count stays until one succeeds. Pure. */
export function freezeAgain(state: AgentState): Decision {
  const { again } = state.freezes
  if (!again || again.at === null) return { state, actions: [] }
  return {
    state: { ...state, freezes: { ...state.freezes, again: { ...again, at: null } } },
    actions: state.isRunning ? [freezeAction(again.rule, again.note)] : [],
  }
}
