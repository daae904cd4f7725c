import type { AgentSample } from '../../../src-preload/contract/agents.ts'
import type { Lifecycle } from '../../agents/lifecycle.ts'
import type { ObservedAgent, Observer } from '../../agents/observe/types.ts'
import type { StartupAgent, StartupOutcome } from '../../agents/startup/start-up.ts'
import type { StateRoot } from '../../state/root.ts'

/** What the context rules say of a sample. The latch is theirs; here it is only kept. */
export interface ContextChoice {
  readonly latch: unknown
  readonly act: 'none' | 'warn' | 'compact' | 'freeze' | 'restart'
  readonly say: string | null
}

export interface Compacted {
  readonly ok: boolean
  readonly before: number | null
  readonly after: number | null
  readonly reason: string
}

/** The parts of other folders that supervision calls, each loaded on first need. */
export interface Parts {
  createObserver(agent: ObservedAgent): Promise<Observer>
  /** Keeps what changed in meaning, and tells its names. */
  recordDiff(root: StateRoot, before: AgentSample, after: AgentSample): Promise<readonly string[]>
  decideContext(
    options: Lifecycle['context'],
    sample: AgentSample,
    latch: unknown,
    now: number,
  ): Promise<ContextChoice>
  compact(agent: ObservedAgent, observer: Observer, signal: AbortSignal): Promise<Compacted>
  startUp(
    agent: StartupAgent,
    kept: unknown,
    save: (progress: unknown) => Promise<void>,
    signal: AbortSignal,
  ): Promise<StartupOutcome>
}

export const PARTS: Parts = {
  async createObserver(agent) {
    const { createObserver } = await import('../../agents/observe/observer.ts')
    return createObserver(agent)
  },
  async recordDiff(root, before, after) {
    const { recordDiff } = await import('../../agents/status/diff-file.ts')
    return recordDiff(root, before, after)
  },
  async decideContext(options, sample, latch, now) {
    const { asContextLatch, decideContext } = await import('../../agents/context/decide-context.ts')
    return decideContext(options, sample, asContextLatch(latch), now)
  },
  async compact(agent, observer, signal) {
    const { compact } = await import('../../agents/context/compact.ts')
    return compact(agent, observer, signal)
  },
  async startUp(agent, kept, save, signal) {
    const { asStartupState, startUp } = await import('../../agents/startup/start-up.ts')
    return startUp(agent, { state: asStartupState(kept), save }, signal)
  },
}
