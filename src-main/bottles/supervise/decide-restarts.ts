import type { Lifecycle } from '../../agents/lifecycle.ts'
import { chooseRestart, countedTries, type RestartChoice } from './back-off.ts'
import type { Action, Decision } from './decide.ts'
import type { AgentState } from './supervision.ts'

export interface RestartFailed {
  readonly kind: 'restart-failed'
  readonly message: string
  readonly isFinal: boolean
}

/** Milliseconds after which an end has nothing to do any more with a restart that was about to stop the agent. */
const CUT_MS = 120_000

/**
 * True for a run that a restart for the context has ended itself, without having begun the next one: the agent is down,
 * though nobody wanted it to be. Pure.
 */
export function isCutOff({ end, restarts }: Pick<AgentState, 'end' | 'restarts'>): boolean {
  return end !== null && restarts.cutAt !== null && end.at - restarts.cutAt <= CUT_MS
}

/** What an end leads to, with `ranMs` for how long the run had gone on. Pure. */
export function chooseAfter(
  state: AgentState,
  ranMs: number,
  { restart }: Lifecycle,
  now: number,
  random: number,
): RestartChoice {
  if (!state.end) return { kind: 'none' }
  const { tries } = state.restarts
  if (!isCutOff(state)) return chooseRestart(restart, state.end, ranMs, tries, now, random)
  // Whatever the definition says of crashes: this end is the rule's own.
  const policy = { ...restart, policy: 'always' as const, maxRetries: Math.max(1, restart.maxRetries) }
  return chooseRestart(policy, { ...state.end, isStopped: false }, ranMs, tries, now, random)
}

/** Pure. */
export function withChoice(state: AgentState, choice: RestartChoice, now: number): Decision {
  if (choice.kind === 'none') return { state, actions: [] }
  if (choice.kind === 'give-up') return giveUp(state, choice.reason)
  const seconds = Math.max(1, Math.round((choice.at - now) / 1000))
  const text = `The agent ${howEnded(state)}; it is started again in ${seconds} s.`
  const { tries, at: nextAt } = choice
  return {
    state: { ...state, restarts: { ...state.restarts, tries, nextAt, begun: null, gaveUp: null } },
    actions: [{ kind: 'tell', text, isFailure: false }, { kind: 'facts' }],
  }
}

function howEnded(state: AgentState): string {
  if (isCutOff(state)) return 'was stopped by a restart that broke off'
  const code = state.end?.code ?? null
  return code === null ? 'ended without a word' : `exited with code ${code}`
}

/** Pure. */
export function giveUp(state: AgentState, reason: string): Decision {
  const text = `The agent is not started again: ${reason}.`
  return {
    state: { ...state, restarts: { ...state.restarts, nextAt: null, begun: null, gaveUp: reason } },
    actions: [
      { kind: 'tell', text, isFailure: true },
      { kind: 'facts' },
      { kind: 'hook', point: 'on_health', context: { state: 'gave-up', reason: text } },
    ],
  }
}

const LONG_AGO = 'its restart was due long ago, while nobody looked after it'

/** True for what should have been done so long ago that nobody expects it any more. */
function isLongAgo(at: number | null | undefined, { restart }: Lifecycle, now: number): boolean {
  return typeof at === 'number' && now - at > restart.windowSeconds * 1000
}

/** The wait is over. Pure. */
export function beginRestart(state: AgentState, lifecycle: Lifecycle, now: number): Decision {
  const { restarts } = state
  if (state.isRunning || restarts.gaveUp !== null) return { state, actions: [] }
  if (isLongAgo(restarts.nextAt, lifecycle, now)) return giveUp(state, LONG_AGO)
  const tries = [...countedTries(lifecycle.restart, restarts.tries, now), now]
  const why = isCutOff(state) ? 'context' : 'crash'
  return {
    state: { ...state, restarts: { ...restarts, tries, nextAt: null, begun: why, gaveUp: null } },
    actions: [
      {
        kind: 'hook',
        point: 'on_restart',
        context: {
          percent: state.sample?.contextPercent ?? null,
          strategy: lifecycle.context.strategy,
          reason: why,
          attempt: tries.length,
          exit_code: state.end?.code ?? null,
        },
      },
      { kind: 'restart', why },
    ],
  }
}

/** A supervisor has come to an agent of which an earlier one had begun a restart. Its hook went out then. Pure. */
export function resumeRestart(state: AgentState, lifecycle: Lifecycle, now: number): Decision {
  const { restarts } = state
  if (restarts.begun === null) return { state, actions: [] }
  if (state.isRunning && restarts.begun === 'context') {
    // Nobody knows whether it was frozen and is idle yet: the rule asks again when its latch lets it.
    return { state: { ...state, restarts: { ...restarts, begun: null } }, actions: [] }
  }
  const begunAt = restarts.begun === 'crash' ? restarts.tries.at(-1) : restarts.cutAt
  if (isLongAgo(begunAt, lifecycle, now)) return giveUp(state, LONG_AGO)
  return { state, actions: [{ kind: 'restart', why: restarts.begun }] }
}

/** Pure. */
export function afterFailedRestart(
  state: AgentState,
  event: RestartFailed,
  lifecycle: Lifecycle,
  now: number,
  random: number,
): Decision {
  const { restarts } = state
  const isDown = restarts.begun === 'crash' || (restarts.begun === 'context' && isCutOff(state))
  // One that runs on was not stopped: an end that comes later is somebody else's.
  const cutAt = state.isRunning ? null : restarts.cutAt
  const ended: AgentState = { ...state, restarts: { ...restarts, begun: null, cutAt } }
  const text = `The agent could not be started again: ${event.message}`
  const told: Action = { kind: 'tell', text, isFailure: true }
  if (!isDown || !state.end) return { state: ended, actions: [told] }
  const choice: RestartChoice = event.isFinal
    ? { kind: 'give-up', reason: event.message.replace(/\.$/, '') }
    : chooseAfter(recent(ended, now), 0, lifecycle, now, random)
  const chosen = withChoice(ended, choice, now)
  return { state: chosen.state, actions: [told, ...chosen.actions] }
}

/** The end that led here counts from now: how long ago it was says nothing of the next try. */
function recent(state: AgentState, now: number): AgentState {
  const { end, restarts } = state
  const cutAt = restarts.cutAt === null ? null : now
  return { ...state, end: end && { ...end, at: now }, restarts: { ...restarts, cutAt } }
}

/** A restart for the context is about to stop the agent; it looks twice, and is one try. Pure. */
export function beforeOwnStop(state: AgentState, now: number): Decision {
  const { restarts } = state
  const contextTries = restarts.cutAt === null ? [...restarts.contextTries, now] : restarts.contextTries
  return { state: { ...state, restarts: { ...restarts, contextTries, cutAt: now } }, actions: [] }
}

/** A full context asks for a new conversation; `first` comes before it. Pure. */
export function contextRestart(
  state: AgentState,
  first: readonly Action[],
  lifecycle: Lifecycle,
  now: number,
): Decision {
  const { restart, context } = lifecycle
  const { restarts } = state
  const contextTries = countedTries(restart, restarts.contextTries, now)
  if (contextTries.length >= Math.max(1, restart.maxRetries)) {
    if (restarts.gaveUp !== null) return { state, actions: [] }
    const times = contextTries.length === 1 ? '1 restart' : `${contextTries.length} restarts`
    const minutes = Math.round(restart.windowSeconds / 60)
    return giveUp(state, `its context is full again after ${times} within ${minutes} minutes`)
  }
  const percent = state.sample?.contextPercent ?? null
  const facts = { percent, strategy: context.strategy, reason: 'context' }
  return {
    state: { ...state, restarts: { ...restarts, contextTries, cutAt: null, begun: 'context', gaveUp: null } },
    actions: [
      ...first,
      { kind: 'still-idle' },
      { kind: 'hook', point: 'on_restart', context: facts },
      { kind: 'restart', why: 'context' },
    ],
  }
}
