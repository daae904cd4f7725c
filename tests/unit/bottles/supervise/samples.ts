import { DEFAULT_LIFECYCLE, type Lifecycle } from '../../../../src-main/agents/lifecycle.ts'
import { bareSample } from '../../../../src-main/bottles/supervise/bare-sample.ts'
import { type Action, type AgentEvent, decide } from '../../../../src-main/bottles/supervise/decide.ts'
import {
  type AgentState,
  freshSupervision,
  openState,
} from '../../../../src-main/bottles/supervise/supervision.ts'
import type { AgentSample } from '../../../../src-preload/contract/agents.ts'

/** A moment. */
export const NOW = Date.parse('2026-01-01T12:00:00.000Z')
export const KEY = { runId: 'r1', startedAt: new Date(NOW - 10_000).toISOString() }

export function life(more: Partial<Lifecycle>): Lifecycle {
  return { ...DEFAULT_LIFECYCLE, ...more }
}

export function running(more: Partial<AgentState> = {}): AgentState {
  return { ...openState(freshSupervision(KEY, NOW), true, null), ...more }
}

export function sampleOf(more: Partial<AgentSample>, at = NOW): AgentSample {
  return { ...bareSample('box', KEY, null, at), ...more }
}

/** Plays events one after the other; what is to be done after each, by kind. */
export function play(
  state: AgentState,
  lifecycle: Lifecycle,
  events: readonly (readonly [number, AgentEvent])[],
): { readonly state: AgentState; readonly actions: readonly (readonly Action[])[] } {
  const actions: (readonly Action[])[] = []
  let now = state
  for (const [at, event] of events) {
    const decision = decide(now, event, lifecycle, at, 1)
    now = decision.state
    actions.push(decision.actions)
  }
  return { state: now, actions }
}

export const kinds = (actions: readonly Action[]): readonly string[] =>
  actions.map((action) => {
    if (action.kind === 'freeze') return `freeze ${action.rule}`
    if (action.kind === 'hook') return `hook ${action.point}`
    if (action.kind === 'restart') return `restart ${action.why}`
    return action.kind
  })
