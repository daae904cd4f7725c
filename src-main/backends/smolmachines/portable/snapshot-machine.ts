import { join } from 'node:path'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import { bottleError, isBottleError } from '../../../system/bottle-error.ts'
import { requireArtifact } from '../capture-files.ts'
import { withHelper } from '../capture-helper.ts'
import type { FreezerTools } from '../capture-scene.ts'
import { sourceOf } from '../capture-source.ts'
import { COPY_MS } from '../client.ts'
import { DEFAULT_CPUS, DEFAULT_MEMORY_MIB } from '../grammar.ts'
import { fillGuest } from '../guest-tar-fill.ts'
import { packArguments, sidecarOf } from '../pack-arguments.ts'
import { withScratch } from './scratch.ts'

/**
 * Gives a machine with a snapshot's files, without network, which runs and is removed afterwards. A checkpoint's memory
 * is never woken for that, since its agent would act a second time: its disks are packed first. `isFilled` unpacks the
 * snapshot's volumes in it too.
 * @throws BottleError `snapshot-missing`, `unsupported`, …
 */
export async function withSnapshotMachine<T>(
  tools: FreezerTools,
  snapshot: Snapshot,
  options: { readonly isFilled: boolean },
  signal: AbortSignal,
  use: (machine: string) => Promise<T>,
): Promise<T> {
  const file = await requireArtifact(tools.home, snapshot)
  const run = (path: string) =>
    withHelper(
      tools.machines,
      tools.home,
      sourceOf(path),
      { slug: snapshot.slug, isStarted: true },
      signal,
      async (machine) => {
        // Volumes travel by themselves.
        const only = options.isFilled ? null : '/'
        await fillGuest(tools.machines, machine, tools.home, snapshot, signal, only)
        return use(machine)
      },
    )
  if (sourceOf(file).kind !== 'checkpoint') return run(file)
  return withDisksOf(tools, snapshot, file, signal, run)
}

async function withDisksOf<T>(
  tools: FreezerTools,
  snapshot: Snapshot,
  file: string,
  signal: AbortSignal,
  use: (pack: string) => Promise<T>,
): Promise<T> {
  return withScratch(tools.home, async (scratch) => {
    const output = join(scratch, 'bottle')
    const features = await tools.client.features(signal)
    await withHelper(
      tools.machines,
      tools.home,
      sourceOf(file),
      { slug: snapshot.slug, isStarted: false },
      signal,
      async (machine) => {
        const args = packArguments({
          machine,
          output,
          cpus: DEFAULT_CPUS,
          memoryMib: DEFAULT_MEMORY_MIB,
          includeWorkspace: features.includeWorkspace,
          stagingDir: features.stagingDir ? join(scratch, 'staging') : null,
        })
        await tools.client.run('pack the disks of the checkpoint', args, { signal, timeout: COPY_MS })
      },
    ).catch((thrown: unknown) => {
      if (!isBottleError(thrown) || thrown.code !== 'engine-failed') throw thrown
      throw bottleError(
        'unsupported',
        `The files of ${snapshot.slug}@${snapshot.id} can’t be had without waking its memory. Resume it, stop it, and freeze it again.`,
        { slug: snapshot.slug, detail: thrown.detail ?? thrown.message, cause: thrown },
      )
    })
    return use(sidecarOf(output))
  })
}
