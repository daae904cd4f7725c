import type { HookPoint } from '../../../src-preload/contract/agents.ts'
import type { Json } from '../../agents/definitions.ts'
import type { Lifecycle } from '../../agents/lifecycle.ts'
import type { RunEnd } from './back-off.ts'
import { afterFreeze, exitFreeze, type FrozenEvent, freezeAction, freezeAgain } from './decide-freezes.ts'
import {
  afterFailedRestart,
  beforeOwnStop,
  beginRestart,
  chooseAfter,
  contextRestart,
  isCutOff,
  type RestartFailed,
  resumeRestart,
  withChoice,
} from './decide-restarts.ts'
import { afterSample, type SampleEvent } from './decide-sample.ts'
import type { AgentState, FreezeRule } from './supervision.ts'

/** What happened to an agent. */
export type AgentEvent =
  | { readonly kind: 'armed'; readonly hasStartup: boolean }
  | { readonly kind: 'output'; readonly at: number }
  | SampleEvent
  | { readonly kind: 'due'; readonly what: Due }
  | { readonly kind: 'exited'; readonly end: RunEnd }
  | FrozenEvent
  | RestartFailed
  /** A restart for the context is about to stop the agent itself. */
  | { readonly kind: 'restart-stops' }
  /** Somebody else did something with the bottle in between: the rule has nothing to do any more. */
  | { readonly kind: 'restart-void' }
  | {
      readonly kind: 'context'
      readonly latch: unknown
      readonly act: 'none' | 'warn' | 'compact' | 'freeze' | 'restart'
      readonly say: string | null
    }
  | { readonly kind: 'startup'; readonly progress: unknown; readonly state: 'pending' | 'done' | 'failed' }

/** What falls due by the clock. */
export type Due = 'look' | 'restart' | 'idle' | 'interval' | 'context' | 'exit' | 'again'

/** What is to be done, in order. */
export type Action =
  | { readonly kind: 'look'; readonly reason: 'tick' | 'output' | 'exit' }
  | { readonly kind: 'startup' }
  | { readonly kind: 'freeze'; readonly rule: FreezeRule; readonly note: string }
  | { readonly kind: 'restart'; readonly why: 'crash' | 'context' }
  /** What follows is dropped unless the agent is idle at that moment. */
  | { readonly kind: 'still-idle' }
  | { readonly kind: 'compact' }
  | { readonly kind: 'context' }
  | { readonly kind: 'hook'; readonly point: HookPoint; readonly context: Readonly<Record<string, Json>> }
  | { readonly kind: 'tell'; readonly text: string; readonly isFailure: boolean }
  /** The last look's file gets the newest facts of restarts. */
  | { readonly kind: 'facts' }

export interface Decision {
  readonly state: AgentState
  readonly actions: readonly Action[]
}

/** What one event leads to. `random` is 0 to 1. Pure: the whole of supervision is here and in `dues`. */
export function decide(
  state: AgentState,
  event: AgentEvent,
  lifecycle: Lifecycle,
  now: number,
  random: number,
): Decision {
  switch (event.kind) {
    case 'armed':
      return afterArm(state, event.hasStartup, lifecycle, now)
    case 'output':
      return {
        state: {
          ...state,
          lastOutputAt: event.at,
          unseenSince: state.unseenSince ?? event.at,
          isDirty: true,
        },
        actions: [],
      }
    case 'sample':
      return afterSample(state, event, lifecycle, now)
    case 'due':
      return afterDue(state, event.what, lifecycle, now)
    case 'exited':
      return afterExit(state, event.end, lifecycle, now, random)
    case 'frozen':
      return afterFreeze(state, event, lifecycle, now)
    case 'restart-failed':
      return afterFailedRestart(state, event, lifecycle, now, random)
    case 'restart-void':
      // A time that was set since it was begun is of an end that came in between.
      return { state: { ...state, restarts: { ...state.restarts, begun: null, cutAt: null } }, actions: [] }
    case 'restart-stops':
      return beforeOwnStop(state, now)
    case 'context':
      return afterContext(state, event, lifecycle, now)
    case 'startup':
      return {
        state: { ...state, startup: { state: event.state, progress: event.progress } },
        actions: [],
      }
  }
}

/** A supervisor has come to the agent: it goes on with what an earlier one left, and repeats nothing. */
function afterArm(state: AgentState, hasStartup: boolean, lifecycle: Lifecycle, now: number): Decision {
  const actions: Action[] = []
  if (state.isRunning) {
    actions.push({ kind: 'look', reason: 'tick' })
    if (hasStartup && state.startup.state === 'pending') actions.push({ kind: 'startup' })
  } else if (state.freezes.exit === 'due' && state.freezes.retryAt === null) {
    // One that failed has its own time.
    actions.push(exitFreeze(state.end))
  }
  const resumed = resumeRestart(state, lifecycle, now)
  return { state: resumed.state, actions: [...actions, ...resumed.actions] }
}

function afterDue(state: AgentState, what: Due, lifecycle: Lifecycle, now: number): Decision {
  const { autoFreeze } = lifecycle
  switch (what) {
    case 'look': {
      // Marked now: a look that takes long must not be asked for twice.
      const reason = state.unseenSince === null ? 'tick' : 'output'
      return {
        state: { ...state, lastLookAt: now, unseenSince: null },
        actions: state.isRunning ? [{ kind: 'look', reason }] : [],
      }
    }
    case 'restart':
      return beginRestart(state, lifecycle, now)
    case 'idle':
      return {
        state: {
          ...state,
          freezes: { ...state.freezes, idle: { activityAt: state.sample?.lastActivityAt ?? null } },
        },
        actions: [freezeAction('idle', `Frozen after ${autoFreeze.idleMinutes} minutes without work.`)],
      }
    case 'interval': {
      const next = { ...state, freezes: { ...state.freezes, lastAt: now } }
      if (!state.isDirty) return { state: next, actions: [] }
      const note = `Frozen as every ${autoFreeze.everyMinutes} minutes.`
      return { state: { ...next, isDirty: false }, actions: [freezeAction('interval', note)] }
    }
    case 'context':
      return { state: { ...state, lastContextAt: now }, actions: [{ kind: 'context' }] }
    case 'exit':
      return {
        state: { ...state, freezes: { ...state.freezes, retryAt: null } },
        actions: [exitFreeze(state.end)],
      }
    case 'again':
      return freezeAgain(state)
  }
}

function afterExit(
  before: AgentState,
  end: RunEnd,
  lifecycle: Lifecycle,
  now: number,
  random: number,
): Decision {
  if (!before.isRunning && before.end) return { state: before, actions: [] }
  const actions: Action[] = [{ kind: 'look', reason: 'exit' }]
  let state: AgentState = { ...before, isRunning: false, end, unseenSince: null }
  if (lifecycle.autoFreeze.onExit) {
    state = { ...state, freezes: { ...state.freezes, exit: 'due' } }
    actions.push(exitFreeze(end))
  }
  if (!end.isStopped && end.code !== 0) {
    const code = end.code === null ? 'an unknown code' : `code ${end.code}`
    actions.push({
      kind: 'hook',
      point: 'on_health',
      context: { state: 'exited', reason: `The agent ended with ${code}.`, exit_code: end.code },
    })
  }
  const ranMs = end.at - Date.parse(state.startedAt)
  // What has stopped it goes on, or tells that it failed.
  if (state.restarts.begun === 'context' && isCutOff(state)) return { state, actions }
  const choice = chooseAfter(state, ranMs, lifecycle, now, random)
  const chosen = withChoice(state, choice, now)
  return { state: chosen.state, actions: [...actions, ...chosen.actions] }
}

/** What the context rules ask for. A freeze comes before what throws parts of the conversation away. */
function afterContext(
  before: AgentState,
  event: Extract<AgentEvent, { kind: 'context' }>,
  lifecycle: Lifecycle,
  now: number,
): Decision {
  const state: AgentState = { ...before, context: event.latch }
  const percent = state.sample?.contextPercent ?? null
  const actions: Action[] = event.say === null ? [] : [{ kind: 'tell', text: event.say, isFailure: false }]
  const note = `Frozen as ${percent ?? '?'} % of the context is used.`
  const first: Action[] = lifecycle.context.freezeFirst ? [freezeAction('before-context', note)] : []
  switch (event.act) {
    case 'none':
    case 'warn':
      return { state, actions }
    case 'freeze':
      return { state, actions: [...actions, freezeAction('before-context', note)] }
    case 'compact':
      return { state, actions: [...actions, ...first, { kind: 'compact' }] }
    case 'restart':
      return contextRestart(state, [...actions, ...first], lifecycle, now)
  }
}
