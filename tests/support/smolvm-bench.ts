import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Backend, LaunchPlan, RuntimeRef } from '../../src-main/backends/backend.ts'
import { createSmolBackend } from '../../src-main/backends/smolmachines/smol-backend.ts'
import { installSmolvm, type SmolvmWorld } from './doubles/smolvm/world.ts'
import { pinnedImage } from './smolvm-conformance.ts'

export const never = () => new AbortController().signal

/** The adapter alone on a double, without bottles above it. */
export interface SmolBench {
  readonly world: SmolvmWorld
  readonly home: string
  readonly backend: Backend
  /** The adapter of another state root on the same engine. */
  other(): Promise<Backend>
  plan(script: string, more?: Partial<LaunchPlan>): LaunchPlan
  launch(script: string, more?: Partial<LaunchPlan>): Promise<RuntimeRef>
  outputOf(ref: RuntimeRef): Promise<string>
  machines(): readonly { readonly name: string; readonly state: string; readonly network: boolean }[]
  dispose(): Promise<void>
}

export async function openSmolBench(version: string): Promise<SmolBench> {
  const world = await installSmolvm(version)
  const folders: string[] = []
  const makeHome = async () => {
    const home = await mkdtemp(join(tmpdir(), 'icebox-smol-'))
    folders.push(home)
    return home
  }
  const home = await makeHome()
  const backend = createSmolBackend({ rootId: 'root-a', home, env: world.double.env })
  let count = 0
  const plan: SmolBench['plan'] = (script, more = {}) => {
    count += 1
    const slug = more.slug ?? `bench-${count}`
    return {
      ...{ slug, runId: `run${String(count).padStart(7, '0')}`, rootId: 'root-a', previous: null },
      ...{ stateDir: join(home, 'state', slug), prompt: null, env: {}, secrets: {}, forgeEnv: {} },
      ...{ image: { kind: 'image', reference: pinnedImage(world) }, argv: ['sh', '-c', script] },
      ...{ user: null, workdir: '/work', mounts: [], sidecars: [], network: 'default', copyCwd: null },
      ...{ resources: { cpus: 1, memoryBytes: 512 << 20 }, tty: false, homeFiles: {} },
      ...more,
    }
  }
  return {
    ...{ world, home, backend, plan },
    other: async () => createSmolBackend({ rootId: 'root-b', home: await makeHome(), env: world.double.env }),
    launch: (script, more) => backend.launch(plan(script, more), () => undefined, never()),
    async outputOf(ref) {
      const chunks: Uint8Array[] = []
      for await (const chunk of backend.logs(ref, { follow: false }, never())) chunks.push(chunk)
      return Buffer.concat(chunks).toString()
    },
    machines: () => JSON.parse(world.must('machine', 'ls', '--json')),
    async dispose() {
      await world.dispose()
      for (const folder of folders) await rm(folder, { recursive: true, force: true })
    },
  }
}
