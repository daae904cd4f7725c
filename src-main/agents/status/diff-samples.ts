import type { AgentSample } from '../../../src-preload/contract/agents.ts'

/** Percents at which a fuller context means something else to a person. */
const CONTEXT_BANDS = [50, 70, 85, 95]
/** Percents of a provider's limit that are worth telling. */
const LIMIT_BANDS = [80, 95, 100]

type Meaning = Readonly<Record<string, string | number | null>>

/**
 * What a sample means, by the status fields' names: without times, counters, loads and the text on the screen, which
 * change at every look. Pure.
 */
export function meaningOf(sample: AgentSample): Meaning {
  const { contextPercent } = sample
  return {
    agent_state: sample.state,
    reason: sample.state === 'working' ? null : sample.reason,
    model: sample.model,
    session_id: sample.sessionId,
    current_tool: sample.currentTool,
    // A dialog hides the row that counts them.
    subagent_count: sample.subagents ?? 0,
    context_band: contextPercent === null ? null : bandOf(contextPercent, CONTEXT_BANDS),
    restarts: sample.restarts.gaveUp === null ? 'going' : 'gave up',
    ...Object.fromEntries(
      sample.limits.map(({ name, usedPercent }) => [`limit_${name}`, bandOf(usedPercent, LIMIT_BANDS)]),
    ),
  }
}

/** The band that a percent lies in, as the percent from which it goes up; 0 below all. */
function bandOf(percent: number, from: readonly number[]): number {
  return from.findLast((edge) => percent >= edge) ?? 0
}

/** Names of what changed in meaning, sorted; a limit that is told for the first time has not been crossed. Pure. */
export function diffSamples(before: AgentSample, after: AgentSample): readonly string[] {
  const from = meaningOf(before)
  const to = meaningOf(after)
  return [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .filter((name) => {
      const isLimit = name.startsWith('limit_')
      return isLimit ? (from[name] ?? 0) !== (to[name] ?? 0) : from[name] !== to[name]
    })
    .sort()
}
