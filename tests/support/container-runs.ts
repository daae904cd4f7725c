import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend, ExitFact, LaunchPlan, RuntimeRef } from '../../src-main/backends/backend.ts'
import { createMacosContainerBackend } from '../../src-main/backends/macos-container/macos-container-backend.ts'
import { type ContainerWorld, makeContainerWorld } from './container-double.ts'
import { launchPlan } from './launch-plan.ts'

const never = new AbortController().signal

/** The adapter by itself on a double, with runs that need no bottle around them. */
export interface ContainerRuns {
  readonly world: ContainerWorld
  readonly home: string
  readonly rootId: string
  readonly backend: Backend
  /** A plan of a bottle of its own, whose state folder is there. */
  planOf(more?: Partial<LaunchPlan>): Promise<LaunchPlan>
  launch(plan: LaunchPlan): Promise<RuntimeRef>
  outputOf(ref: RuntimeRef, options?: { readonly follow: boolean }): Promise<string>
  runToEnd(
    more: Partial<LaunchPlan>,
  ): Promise<{ readonly ref: RuntimeRef; readonly exit: ExitFact | null; readonly output: string }>
  /** Ends the double, then removes the folder. */
  dispose(): Promise<void>
}

export async function makeContainerRuns(version: string): Promise<ContainerRuns> {
  const rootId = '6f1c2c3e-0000-4000-8000-1234567890ab'
  const world = await makeContainerWorld(version)
  const home = await mkdtemp(join(tmpdir(), 'container-runs-'))
  const backend = createMacosContainerBackend({ rootId, home, env: world.double.env })
  let count = 0
  const runs: ContainerRuns = {
    world,
    home,
    rootId,
    backend,
    async planOf(more = {}) {
      count += 1
      const slug = more.slug ?? `web-${count}`
      const stateDir = join(home, 'state', slug)
      await mkdir(stateDir, { recursive: true })
      const runId = `run${String(count).padStart(7, '0')}`
      const image = { kind: 'image', reference: world.image } as const
      return launchPlan({ rootId, runId, stateDir, image, ...more, slug })
    },
    launch: (plan) => backend.launch(plan, () => {}, never),
    async outputOf(ref, options = { follow: false }) {
      const chunks: Uint8Array[] = []
      for await (const chunk of backend.logs(ref, options, never)) chunks.push(chunk)
      return Buffer.concat(chunks).toString()
    },
    async runToEnd(more) {
      const ref = await runs.launch(await runs.planOf(more))
      const exit = await backend.wait(ref, never)
      return { ref, exit, output: await runs.outputOf(ref) }
    },
    async dispose() {
      await world.double.dispose()
      await rm(home, { recursive: true, force: true })
    },
  }
  return runs
}

/** The command line of a script. */
export const shell = (script: string) => ({ argv: ['/bin/sh', '-c', script] })

/** The code of a failure; null when there was none. */
export const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (thrown: { code?: unknown }) => thrown.code,
  )
