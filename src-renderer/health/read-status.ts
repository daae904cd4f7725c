import type { AgentStatus, RestartFacts, Tri, UsageLimit } from '../../src-preload/contract/agents.ts'
import type { AgentState } from '../../src-preload/contract/entities.ts'

export const SIGNALS = ['alive', 'responsive', 'waiting', 'limited', 'signedIn', 'stuck'] as const
export type SignalName = (typeof SIGNALS)[number]

export type Strategy = 'noop' | 'warn' | 'compact' | 'freeze' | 'restart'

/** What the window shows of `agent:status`; every part may be missing, since a status names only what is known. */
export interface StatusView {
  /** When the agent was looked at last; null when nobody did. */
  readonly seenAt: string | null
  readonly state: AgentState | null
  readonly reason: string | null
  readonly since: string | null
  readonly signals: Readonly<Record<SignalName, Tri>>
  readonly context: {
    readonly percent: number | null
    readonly tokens: number | null
    readonly window: number | null
    readonly strategy: Strategy | null
    /** Percent at which the strategy acts. */
    readonly trigger: number | null
  }
  readonly restarts: RestartFacts | null
  readonly costUsd: number | null
  readonly limits: readonly UsageLimit[]
  readonly model: string | null
  readonly sessionId: string | null
  readonly task: string | null
  readonly lastMessage: string | null
  readonly lastActivityAt: string | null
  readonly subagents: number | null
  readonly screen: readonly string[]
}

type Bag = Readonly<Record<string, unknown>>

const bag = (value: unknown): Bag =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Bag) : {}
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)
const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null
const tri = (value: unknown): Tri => (value === 'yes' || value === 'no' ? value : 'unknown')

const STATES: readonly unknown[] = [
  'working',
  'waiting',
  'limited',
  'signed-out',
  'stuck',
  'exited',
] satisfies AgentState[]
const STRATEGIES: readonly unknown[] = ['noop', 'warn', 'compact', 'freeze', 'restart'] satisfies Strategy[]

/** Reads what `icebox status --json` tells, under the names that it uses there. Pure; nothing in it is relied upon. */
export function readStatus(status: AgentStatus): StatusView {
  const signals = { ...status, ...bag(status.signals) }
  const management = bag(status.context_management)
  return {
    seenAt: text(status.sampled_at),
    state: STATES.includes(status.agent_state) ? (status.agent_state as AgentState) : null,
    reason: text(status.reason),
    since: text(status.since),
    signals: {
      alive: tri(signals.alive),
      responsive: tri(signals.responsive),
      waiting: tri(signals.waiting),
      limited: tri(signals.limited),
      signedIn: tri(signals.signed_in),
      stuck: tri(signals.stuck),
    },
    context: {
      percent: number(status.context_percent) ?? number(management.percent),
      tokens: number(status.context_tokens),
      window: number(status.context_window),
      strategy: STRATEGIES.includes(management.strategy) ? (management.strategy as Strategy) : null,
      trigger: number(management.trigger_at_percent),
    },
    restarts: restartsOf(status.restarts),
    costUsd: number(status.cost_usd),
    limits: limitsOf(status.limits),
    model: text(status.model) === 'unknown' ? null : text(status.model),
    sessionId: text(status.session_id),
    // Without a tool the task is the last message, which stands on its own.
    task: text(status.current_tool) && (text(status.current_task) ?? text(status.current_tool)),
    lastMessage: text(status.last_user_msg),
    lastActivityAt: text(status.last_activity),
    subagents: number(status.subagent_count),
    screen: screenOf(status.pane_text),
  }
}

function restartsOf(value: unknown): RestartFacts | null {
  const facts = bag(value)
  const count = number(facts.count)
  if (count === null) return null
  return { count, nextAt: text(facts.next_at), gaveUp: text(facts.gave_up) }
}

function limitsOf(value: unknown): readonly UsageLimit[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((item: unknown) => {
    const limit = bag(item)
    const name = text(limit.name)
    const usedPercent = number(limit.used_percent)
    return name === null || usedPercent === null
      ? []
      : [{ name, usedPercent, resetsAt: text(limit.resets_at) }]
  })
}

/** The lines of the screen without the empty ones at its end. */
function screenOf(value: unknown): readonly string[] {
  const lines = typeof value === 'string' ? value.split('\n') : []
  const last = lines.findLastIndex((line) => line.trim() !== '')
  return lines.slice(0, last + 1)
}

/** Whether an answer is what one hopes for, is not, or says nothing either way. Pure. */
export function toneOf(signal: SignalName, answer: Tri): 'good' | 'bad' | 'wait' | 'calm' {
  if (answer === 'unknown') return 'calm'
  const isYes = answer === 'yes'
  if (signal === 'alive' || signal === 'responsive' || signal === 'signedIn') return isYes ? 'good' : 'bad'
  if (!isYes) return 'calm'
  return signal === 'stuck' ? 'bad' : 'wait'
}
