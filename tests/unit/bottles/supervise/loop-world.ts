import { onTestFinished } from 'vitest'
import type { Lifecycle } from '../../../../src-main/agents/lifecycle.ts'
import type { RestartOptions } from '../../../../src-main/bottles/services.ts'
import { type AgentLoop, openLoop } from '../../../../src-main/bottles/supervise/agent-loop.ts'
import { endOf, type Launch, readNewestRun } from '../../../../src-main/bottles/supervise/current-launch.ts'
import type { Parts } from '../../../../src-main/bottles/supervise/parts.ts'
import { freshSupervision, type Supervision } from '../../../../src-main/bottles/supervise/supervision.ts'
import { readSupervision } from '../../../../src-main/bottles/supervise/supervision-file.ts'
import type { Session } from '../../../../src-main/bottles/supervise/supervisor-deps.ts'
import { createWheel, systemClock } from '../../../../src-main/bottles/supervise/wheel.ts'
import type { StateRoot } from '../../../../src-main/state/root.ts'
import type { AgentSample } from '../../../../src-preload/contract/agents.ts'
import { type OneEngine, oneEngine } from '../../../support/one-engine.ts'
import { sampleRef, sampleRun } from '../../../support/samples.ts'
import { until } from '../../../support/supervised-world.ts'
import { life, sampleOf } from './samples.ts'

export const RUN = { runId: sampleRun().id, startedAt: sampleRun().startedAt }

/** One launch under a supervisor that reaches no engine: what it does is told, and what it sees is set. */
export interface LoopWorld extends Pick<OneEngine, 'deps' | 'bottle'> {
  readonly engine: OneEngine
  readonly done: string[]
  readonly warnings: unknown[]
  /** What the next looks find. */
  sees: Partial<AgentSample>
  freezes: () => Promise<void>
  restarts: (options: RestartOptions) => Promise<void>
  open(lifecycle: Partial<Lifecycle>, kept?: Partial<Supervision>, isRunning?: boolean): Promise<AgentLoop>
  kept(): Promise<Supervision>
  /** Waits until so much was kept. */
  keeps(what: string, is: (kept: Supervision) => boolean): Promise<Supervision>
}

export async function loopWorld(
  decide: Parts['decideContext'] = async () => ({ latch: null, act: 'none', say: null }),
): Promise<LoopWorld> {
  const engine = await oneEngine()
  const { root } = engine.deps
  const stop = new AbortController()
  const done: string[] = []
  const warnings: unknown[] = []
  const parts = {
    createObserver: async () => ({ look: async () => sampleOf({ slug: 'web', ...RUN, ...world.sees }) }),
    recordDiff: async () => [],
    decideContext: decide,
    compact: async () => {
      done.push('compact')
      return { ok: true, before: 90, after: 10, reason: 'Compacted.' }
    },
  } as unknown as Parts
  let loop: AgentLoop | undefined
  const recheck = async (): Promise<void> => {
    const found = await readNewestRun(root, 'web')
    const end = found && endOf(found.run)
    if (end && loop?.isRunning()) loop.exited(end)
  }
  const session = {
    root,
    services: engine.deps,
    parts,
    clock: systemClock,
    random: () => 1,
    warn: (error: unknown) => warnings.push(error),
    lease: { generation: 1, holds: async () => true },
    wheel: createWheel((key) => loop?.due(key.slice(key.lastIndexOf(':') + 1) as 'restart'), systemClock),
    signal: stop.signal,
    recheck: () => void recheck(),
    bottles: {
      freeze: async () => {
        done.push('freeze')
        await world.freezes()
      },
      restart: async (_slug: string, _context: unknown, options: RestartOptions) => {
        await options.check?.()
        done.push('restart')
        await world.restarts(options)
      },
    },
  } as unknown as Session
  const world: LoopWorld = {
    engine,
    deps: engine.deps,
    bottle: engine.bottle,
    done,
    warnings,
    sees: {},
    freezes: async () => undefined,
    restarts: async () => undefined,
    async open(lifecycle, kept = {}, isRunning = true) {
      const launch = {
        ...RUN,
        slug: 'web',
        ref: sampleRef(),
        isInteractive: true,
        label: 'web',
        launched: { lifecycle: life(lifecycle), provider: 'claude', model: null, env: {} },
        backend: await engine.deps.backends.get('docker'),
        access: { async *output() {} },
      } as unknown as Launch
      loop = await openLoop(session, launch, { ...freshSupervision(RUN, Date.now()), ...kept }, isRunning)
      return loop
    },
    kept: () => keptOf(root),
    keeps: (what, is) =>
      until(
        what,
        async () => {
          const kept = await keptOf(root).catch(() => null)
          return kept && is(kept) && kept
        },
        5000,
      ),
  }
  onTestFinished(async () => {
    stop.abort()
    session.wheel.stop()
    await loop?.stop()
  })
  return world
}

async function keptOf(root: StateRoot): Promise<Supervision> {
  const kept = await readSupervision(root, 'web')
  if (!kept || kept === 'damaged') throw new Error('nothing was kept')
  return kept
}
