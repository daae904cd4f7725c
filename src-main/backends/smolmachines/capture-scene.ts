import { bottleError } from '../../system/bottle-error.ts'
import { requireSpace } from '../../system/disk-space.ts'
import type { FreezeSubject } from '../freezer.ts'
import { runConfig } from '../images/run-config.ts'
import type { Platform, RunConfig } from '../portable.ts'
import { readImageConfig } from './capture-config.ts'
import { diskBytes } from './capture-files.ts'
import type { CaptureScene, CaptureWay } from './capture-plan.ts'
import type { Machines, RunKeeper } from './capture-ports.ts'
import type { SmolClient } from './client.ts'
import type { Machine } from './decode.ts'
import type { SmolFeatures } from './features.ts'
import { dataDirArgs } from './grammar.ts'
import { hasRunFolder, runPaths } from './run-paths.ts'

/** What a freezer of this backend works with. */
export interface FreezerTools {
  /** The state root, absolute. */
  readonly home: string
  readonly client: SmolClient
  readonly machines: Machines
  readonly keeper: RunKeeper
}

/** A bottle's machine as a freeze finds it. */
export interface FoundMachine {
  readonly look: Machine
  readonly features: SmolFeatures
  readonly scene: CaptureScene
  readonly config: RunConfig
  readonly platform: Platform
  /** What its disks take on this machine. */
  readonly diskBytes: number
}

/** @throws BottleError `not-found` when the machine is gone */
export async function lookAround(
  tools: FreezerTools,
  subject: FreezeSubject,
  signal: AbortSignal,
): Promise<FoundMachine> {
  const { name } = subject.runtime
  const [look, features] = await Promise.all([
    tools.machines.look(name, signal),
    tools.client.features(signal),
  ])
  if (!look) {
    throw bottleError(
      'not-found',
      `There is no machine ${name} to freeze. Run icebox list to see what there is.`,
      {
        slug: subject.slug,
      },
    )
  }
  const { facts } = subject.runtime
  return {
    look,
    features,
    scene: {
      slug: subject.slug,
      state: look.state,
      image: look.image,
      mounts: look.mounts,
      ports: look.ports,
      gpu: look.gpu,
      cuda: look.cuda,
      isClone: facts.cloneOf !== undefined,
      forkable: look.forkable,
    },
    config: await configOf(tools, subject, look),
    platform: { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch },
    diskBytes: await diskBytesOf(tools, dataDirArgs(features, name), signal),
  }
}

/** How its image runs: the engine tells only part of it, so what was known at the launch comes first. */
async function configOf(
  tools: FreezerTools,
  { runtime, parent }: FreezeSubject,
  look: Machine,
): Promise<RunConfig> {
  const kept = hasRunFolder(runtime) ? await readImageConfig(runPaths(tools.home, runtime).dir) : null
  const known = [runtime.facts.config, parent?.facts.config, kept].find(
    (value) => typeof value === 'object' && value !== null,
  )
  return runConfig(known ?? { Entrypoint: look.entrypoint, Cmd: look.cmd })
}

async function diskBytesOf(
  tools: FreezerTools,
  args: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const { stdout, exitCode } = await tools.client.run('find its disks', args, {
    signal,
    okCodes: 'any',
  })
  return exitCode === 0 && stdout.trim().startsWith('/') ? diskBytes(stdout.trim()) : 0
}

/** How often a way writes the data before it is done: staging, the file, and room to verify it. */
const TIMES: Readonly<Record<CaptureWay['kind'], number>> = { pack: 3, checkpoint: 2, 'guest-tar': 2 }

/** @throws BottleError `disk-full` before anything is begun */
export async function requireRoomFor(
  way: CaptureWay['kind'],
  found: FoundMachine,
  stateDir: string,
): Promise<void> {
  const memory = way === 'checkpoint' ? (found.look.memoryMib ?? 0) * 1024 * 1024 : 0
  await requireSpace(stateDir, 'This freeze', found.diskBytes * TIMES[way] + memory, 0)
}
