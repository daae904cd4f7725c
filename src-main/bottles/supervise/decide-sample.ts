import type { AgentSample } from '../../../src-preload/contract/agents.ts'
import type { Lifecycle } from '../../agents/lifecycle.ts'
import type { Action, Decision } from './decide.ts'
import type { AgentState } from './supervision.ts'

/** A look at the agent is done. */
export interface SampleEvent {
  readonly kind: 'sample'
  readonly sample: AgentSample
  /** When the look began, milliseconds since 1970. */
  readonly lookedAt: number
  /** What changed in meaning since the look before. */
  readonly changed: readonly string[]
}

/** States in which an agent does nothing until a person comes. */
const TROUBLES: ReadonlySet<string | null> = new Set(['limited', 'signed-out', 'stuck'])
/** Percent below a trigger under which its latch opens again. */
const HYSTERESIS = 10

/** What a look leads to. Pure. */
export function afterSample(
  before: AgentState,
  event: SampleEvent,
  lifecycle: Lifecycle,
  now: number,
): Decision {
  const { sample } = event
  const actions: Action[] = []
  let state: AgentState = { ...before, sample, lastLookAt: Math.max(before.lastLookAt ?? 0, event.lookedAt) }
  if (event.changed.length > 0) {
    actions.push({
      kind: 'hook',
      point: 'on_diff',
      context: { diff_fields: [...event.changed], timestamp: sample.at },
    })
  }
  const troubled = withTrouble(state, sample)
  state = troubled.state
  actions.push(...troubled.actions)
  if (!state.isRunning) return { state, actions }
  state = { ...state, freezes: { ...state.freezes, idle: openIdleLatch(before, sample) } }
  const frozen = contextFreeze(state, sample, lifecycle)
  state = frozen.state
  actions.push(...frozen.actions)
  if (lifecycle.context.strategy !== 'noop' && sample.contextPercent !== null) {
    state = { ...state, lastContextAt: now }
    actions.push({ kind: 'context' })
  }
  return { state, actions }
}

/** Told once when it begins and once when it is over. */
function withTrouble(state: AgentState, sample: AgentSample): Decision {
  const trouble = TROUBLES.has(sample.state) ? sample.state : null
  if (trouble === state.trouble || sample.state === null || sample.state === 'exited')
    return { state, actions: [] }
  const reason = sample.reason ?? null
  const text =
    trouble === null
      ? 'The agent goes on.'
      : `The agent is ${trouble}${reason === null ? '' : `: ${reason}`}.`.replace(/\.\.$/, '.')
  return {
    state: { ...state, trouble },
    actions: [
      { kind: 'tell', text, isFailure: trouble !== null },
      {
        kind: 'hook',
        point: 'on_health',
        context: { state: sample.state, reason, previous: state.trouble },
      },
    ],
  }
}

/** An idle freeze holds until the agent has really worked; that somebody looked at its terminal is not work. */
function openIdleLatch(before: AgentState, sample: AgentSample): AgentState['freezes']['idle'] {
  const { idle } = before.freezes
  if (!idle || sample.state !== 'waiting') return null
  if (sample.lastActivityAt !== null) return sample.lastActivityAt === idle.activityAt ? idle : null
  return before.unseenSince === null && !before.isDirty ? idle : null
}

function contextFreeze(state: AgentState, sample: AgentSample, lifecycle: Lifecycle): Decision {
  const limit = lifecycle.autoFreeze.contextPercent
  const percent = sample.contextPercent
  if (limit === null || percent === null) return { state, actions: [] }
  const { freezes } = state
  if (percent < limit - HYSTERESIS && freezes.isContextDone) {
    return { state: { ...state, freezes: { ...freezes, isContextDone: false } }, actions: [] }
  }
  if (percent < limit || freezes.isContextDone) return { state, actions: [] }
  const note = `Frozen as ${percent} % of the context is used.`
  return {
    state: { ...state, freezes: { ...freezes, isContextDone: true } },
    actions: [{ kind: 'freeze', rule: 'context', note }],
  }
}
