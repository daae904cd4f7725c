import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { EngineReport } from '../../../src-preload/contract/index.ts'
import { toFailure } from '../../system/bottle-error.ts'
import { findProgram, searchPath } from '../local/find-program.ts'
import { INSTALL } from './client.ts'
import type { SmolContext } from './context.ts'
import { isAtLeast, type SmolFeatures } from './features.ts'

/** Looks for the program and asks what it is and what it can do. A value, never a throw. */
export async function probeSmol(context: SmolContext, signal: AbortSignal): Promise<EngineReport> {
  const program = await findProgram('smolvm', searchPath(context.env))
  if (!program) return { ...blank, state: 'missing', reason: 'smolvm is not installed.', fix: INSTALL }
  try {
    const features = await context.client.features(signal)
    return {
      ...blank,
      title: `smolvm ${features.versionText}`,
      state: 'ready',
      version: features.versionText,
      capabilities: {
        liveFreeze: features.checkpoint,
        memory: features.checkpoint,
        pause: false,
        labels: features.labels,
        volumes: false,
        terminal: (await context.tmux()) !== undefined,
        binds: true,
        sidecars: false,
        localImages: features.localImages,
      },
      limits: [...limitsOf(features)],
    }
  } catch (thrown) {
    const failed = toFailure(thrown)
    const isMissing = failed.code === 'engine-missing'
    return {
      ...blank,
      state: isMissing ? 'missing' : failed.code === 'timeout' ? 'down' : 'unknown',
      reason: failed.message,
      fix: isMissing ? INSTALL : null,
    }
  }
}

const blank: EngineReport = {
  name: 'smolmachines',
  title: 'smolmachines',
  state: 'unknown',
  version: null,
  endpoint: null,
  remote: false,
  capabilities: {},
  limits: [],
  reason: null,
  fix: null,
}

/** Pure: one sentence for each thing that this version can't do and a newer one, or another engine, can. */
export function limitsOf(features: SmolFeatures): readonly string[] {
  const { version } = features
  const limits: readonly (readonly [boolean, string])[] = [
    [
      !features.checkpoint,
      'Freezing stops a running bottle and starts its agent anew: checkpoints of what runs come with smolvm 1.14.',
    ],
    [
      features.checkpoint,
      'A bottle that mounts folders of this machine can’t be checkpointed: freezing it stops it.',
    ],
    [!features.localImages, 'Images come from registries only: archives and builds need smolvm 1.1.0.'],
    [
      features.localImages && !features.packsLocalImages,
      'A machine from an image archive can’t be packed: it is frozen by copying its files out.',
    ],
    [
      !features.includeWorkspace,
      '/workspace lies on a disk that a pack leaves out: Icebox keeps it beside the snapshot.',
    ],
    [
      !features.labels,
      'Machines have no labels: Icebox keeps a record of its own of what it made, which other state roots can’t see.',
    ],
    [
      features.labels && !isAtLeast(version, [1, 9, 3]),
      'Packs of early 1.8 lost layers: each one is checked after it was made.',
    ],
    [!features.createUser, 'Everything runs as the image’s own user: a bottle’s "user" is refused.'],
    [
      !features.pullsWithoutNetwork,
      'A bottle without network can’t be started from a registry image: the machine itself fetches it.',
    ],
    [true, 'No sidecars, no named volumes, and images are built by Docker.'],
  ]
  return limits.filter(([holds]) => holds).map(([, sentence]) => sentence)
}

/** The folder of this machine where smolvm keeps its disks; null when there is none yet. */
export async function smolDataRoot(context: SmolContext): Promise<string | null> {
  const home = context.env.HOME || homedir()
  const cache =
    process.platform === 'darwin'
      ? join(home, 'Library', 'Caches')
      : (context.env.XDG_CACHE_HOME ?? join(home, '.cache'))
  const folder = join(cache, 'smolvm')
  return (await stat(folder).catch(() => null))?.isDirectory() ? folder : null
}
