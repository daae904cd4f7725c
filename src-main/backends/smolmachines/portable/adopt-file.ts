import { constants, copyFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { bottleError } from '../../../system/bottle-error.ts'
import { requireSpace } from '../../../system/disk-space.ts'
import type { Portable } from '../../portable.ts'
import { ARTIFACTS, dropPartial, makePartial, publish } from '../capture-files.ts'
import type { FreezerTools } from '../capture-scene.ts'
import { checkPack } from '../pack-file.ts'
import { snapshotFolder } from '../run-paths.ts'

type Adopt = NonNullable<Portable['adopt']>

/** Copies a pack or a checkpoint that smolvm wrote into a snapshot's folder, and checks every byte of the copy. */
export async function adoptFile(
  tools: FreezerTools,
  { file, snapshot }: Parameters<Adopt>[0],
  progress: Parameters<Adopt>[1],
  signal: AbortSignal,
): ReturnType<Adopt> {
  const features = await tools.client.features(signal)
  const { size } = await stat(file)
  const partsDir = snapshotFolder(tools.home, snapshot)
  const partial = await makePartial(partsDir)
  try {
    await requireSpace(dirname(dirname(partsDir)), 'This import', size, 0)
    progress({ phase: 'copying', current: 0, total: size })
    const copy = join(partial, 'copy')
    await copyFile(file, copy, constants.COPYFILE_FICLONE)
    progress({ phase: 'verifying', current: null, total: null })
    const { manifest, digest, bytes } = await checkPack(copy, signal)
    const isCheckpoint = manifest.kind === 'checkpoint'
    requireOurs(manifest.platform.architecture, manifest.secretNames)
    if (isCheckpoint && !features.checkpoint) {
      throw bottleError(
        'unsupported',
        `smolvm ${features.versionText} can't restore checkpoints, and this file is one. Upgrade smolvm.`,
      )
    }
    signal.throwIfAborted()
    const way = isCheckpoint ? 'checkpoint' : 'pack'
    return {
      reference: await publish(partsDir, copy, ARTIFACTS[way]),
      digest,
      bytes,
      ownBytes: bytes,
      fidelity: isCheckpoint ? 'files+memory' : 'files',
      facts: {
        way,
        smolvm: manifest.smolvmVersion,
        platform: manifest.platform,
        config: manifest.config,
        cpus: manifest.cpus,
        memoryMib: manifest.memoryMib,
        fileBytes: bytes,
      },
    }
  } finally {
    await dropPartial(partsDir)
  }
}

/** smolvm would refuse these at the first resume: better said now. */
function requireOurs(architecture: string, secretNames: readonly string[]): void {
  const own = process.arch === 'x64' ? 'amd64' : process.arch
  if (architecture && architecture !== own) {
    throw bottleError('unsupported', `This file is for ${architecture}, and this machine is ${own}.`)
  }
  if (secretNames.length > 0) {
    throw bottleError(
      'unsupported',
      `This file refers to secrets of the machine it comes from (${secretNames.join(', ')}); smolvm restores no such pack.`,
    )
  }
}
