import { mkdir } from 'node:fs/promises'
import type { Backend, RuntimeFact } from '../../src-main/backends/backend.ts'
import type { Backends } from '../../src-main/backends/registry.ts'
import type { BottleDeps } from '../../src-main/bottles/deps.ts'
import type { OperationContext } from '../../src-main/bottles/services.ts'
import { type IceboxFacts, type RunRecord, writeMetadata } from '../../src-main/state/metadata.ts'
import { sampleFact, sampleMetadata, sampleRun } from './samples.ts'
import { testRoot } from './test-root.ts'

/** Services over one pretended engine; what a test does not give it, it has not. */
export interface OneEngine {
  readonly deps: BottleDeps
  readonly context: OperationContext
  /** What the engine was asked to do, in order. */
  readonly calls: string[]
  /** The state in which the engine lists the bottle `web`; null once it is gone. */
  state: RuntimeFact['state'] | null
  /** Makes the bottle `web` with one run. */
  bottle(run?: Partial<RunRecord>, facts?: Partial<IceboxFacts>): Promise<void>
}

export async function oneEngine(parts: Partial<Backend> = {}): Promise<OneEngine> {
  const root = await testRoot()
  const calls: string[] = []
  const backend = {
    name: 'docker',
    list: async () => (world.state ? [sampleFact({ root: root.id, state: world.state })] : []),
    isThere: async () => world.state !== null,
    find: async () => null,
    wait: async () => (world.state === 'exited' ? { exitCode: 3, endedAt: new Date().toISOString() } : null),
    stop: async () => {
      calls.push('stop')
      world.state = 'exited'
    },
    runEnded: async () => undefined,
    remove: async () => {
      calls.push('remove')
      world.state = null
      return { removed: ['c1'], left: [] }
    },
    logs: async function* () {
      calls.push('logs')
      yield* []
    },
    recover: async () => ({ outcome: 'rolled-back', runtime: null, captured: null }),
    hasChangedSince: async () => true,
    ...parts,
  } as unknown as Backend
  const backends: Backends = {
    get: async () => backend,
    getFreezer: async () => backend.freezer,
    all: async () => [backend],
    isInstalled: async () => true,
    installed: async () => [backend],
  }
  const world: OneEngine = {
    deps: { root, backends, env: {}, secrets: () => Promise.reject(new Error('unused')) },
    context: {
      signal: new AbortController().signal,
      progress: () => undefined,
      notice: () => undefined,
      confirm: async () => true,
    },
    calls,
    state: 'running',
    async bottle(run = {}, facts = {}) {
      await mkdir(root.path('state', 'web'), { recursive: true })
      await writeMetadata(
        root,
        'web',
        sampleMetadata({}, { root: root.id, runs: [sampleRun(run)], ...facts }),
      )
    },
  }
  return world
}
