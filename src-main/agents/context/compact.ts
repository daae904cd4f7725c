import { setTimeout as delay } from 'node:timers/promises'
import type { AgentSample } from '../../../src-preload/contract/agents.ts'
import { toFailure } from '../../system/bottle-error.ts'
import { isIdle } from '../observe/idle.ts'
import type { ObservedAgent, Observer } from '../observe/types.ts'

export interface Compaction {
  /** True only when the context was seen to have become smaller. */
  readonly ok: boolean
  readonly before: number | null
  readonly after: number | null
  /** For a person. */
  readonly reason: string
}

export interface CompactTimes {
  /** Milliseconds between text and Enter, so that a program that repaints does not lose the latter. */
  readonly settleMs: number
  /** Milliseconds between looks while it compacts. */
  readonly lookMs: number
  /** Milliseconds after which an idle agent that shows no effect has not compacted. */
  readonly idleMs: number
  /** Milliseconds after which it is given up. */
  readonly longestMs: number
}

const TIMES: CompactTimes = { settleMs: 300, lookMs: 1_000, idleMs: 15_000, longestMs: 10 * 60_000 }

/**
 * Types `/compact` into an agent that is idle, and sees whether it helped: the percent fell, or the transcript has a
 * newer mark of a compaction. Anything but an idle agent is left alone, and no key but Enter is pressed.
 */
export async function compact(
  agent: ObservedAgent,
  observer: Observer,
  signal: AbortSignal,
  times: CompactTimes = TIMES,
): Promise<Compaction> {
  const first = await observer.look('output', signal)
  const before = first.contextPercent
  const failed = (reason: string, after: number | null = before): Compaction => ({
    ok: false,
    before,
    after,
    reason,
  })
  if (agent.provider === 'custom') return failed('A custom agent has no command for it.')
  if (agent.lifecycle.runtime === 'turns') return failed('An agent of turns has no terminal to type it into.')
  if (!isIdle(first))
    return failed(`It is not idle but ${first.state ?? 'in no known state'}, so nothing was typed.`)
  try {
    await agent.access.type(
      agent.ref,
      [{ text: '/compact' }, { pauseMs: times.settleMs }, { key: 'Enter' }],
      signal,
    )
  } catch (thrown) {
    signal.throwIfAborted()
    return failed(toFailure(thrown).message)
  }
  return waitForEffect(agent, observer, first, times, signal)
}

async function waitForEffect(
  agent: ObservedAgent,
  observer: Observer,
  first: AgentSample,
  times: CompactTimes,
  signal: AbortSignal,
): Promise<Compaction> {
  const typedAt = agent.now()
  const before = first.contextPercent
  let idleSince: number | null = null
  for (;;) {
    await delay(times.lookMs, undefined, { signal })
    const sample = await observer.look('output', signal)
    const after = sample.contextPercent
    const result = (ok: boolean, reason: string): Compaction => ({ ok, before, after, reason })
    if (sample.state === 'exited') return result(false, 'The agent ended meanwhile.')
    if (hasHelped(first, sample) && sample.state !== 'working') return result(true, helpText(before, after))
    const now = agent.now()
    if (sample.state === 'working') idleSince = null
    else idleSince ??= now
    if (idleSince !== null && now - idleSince >= times.idleMs) {
      return result(false, `It was told to, but its context did not become smaller${whyText(sample)}.`)
    }
    if (now - typedAt >= times.longestMs) return result(false, 'It did not end in time.')
  }
}

/** Fewer tokens, or none that are known any more because a compaction made them void. */
function hasHelped(first: AgentSample, sample: AgentSample): boolean {
  if (first.contextTokens !== null) {
    return sample.contextTokens === null || sample.contextTokens < first.contextTokens * 0.95
  }
  const { contextPercent: before } = first
  return before !== null && sample.contextPercent !== null && sample.contextPercent < before
}

function helpText(before: number | null, after: number | null): string {
  if (before === null || after === null) return 'It was compacted.'
  return `It was compacted, from ${before} % to ${after} %.`
}

function whyText({ reason }: AgentSample): string {
  return reason === null ? '' : ` (${reason})`
}
