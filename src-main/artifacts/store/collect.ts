import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, syncFolder } from '../../state/durable-file.ts'
import type { StateRoot } from '../../state/root.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { blobFolder, blobPath, listBlobs } from './blobs.ts'
import { readIndex } from './index-file.ts'
import { noteFolder } from './layer-notes.ts'
import { reachable } from './reach.ts'
import { findStages, openStage, sweepStages } from './stages.ts'
import { sweepTempFiles } from './temp-files.ts'

/**
 * Deletes what no image reaches. Blobs that were made or asked for since the oldest unfinished operation of a living
 * process began are spared, and so are those that are asked for while this runs.
 */
export async function collectBlobs(
  root: StateRoot,
  layout: string,
  options: { readonly dryRun: boolean; readonly only?: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<{ readonly bytes: number; readonly blobs: number }> {
  // First the clock, then the operations, then the images: whatever comes in between is newer than the clock.
  const now = Date.now()
  const stages = options.dryRun ? await findStages(layout) : await sweepStages(layout)
  if (!options.dryRun) await sweepTempFiles([layout, blobFolder(layout), noteFolder(root)], now)
  const spared = Math.min(now, ...stages.filter((stage) => stage.isAlive).map(({ startedAt }) => startedAt))
  const reached = await reachable(layout, await readIndex(root, layout))
  const unused = (await listBlobs(layout)).filter((blob) => !reached.has(blob.digest) && blob.usedAt < spared)
  if (options.dryRun) return totalOf(unused)
  if (unused.length === 0) return totalOf(unused)
  const aside = await openStage(layout, 'collect')
  try {
    const gone: typeof unused = []
    for (const blob of unused) {
      if (signal.aborted) throw bottleError('cancelled')
      if (await removeUnused(blobPath(layout, blob.digest), join(aside.dir, 'blob'), spared)) gone.push(blob)
    }
    await syncFolder(blobFolder(layout))
    return totalOf(gone)
  } finally {
    await aside.release()
  }
}

/** Moved aside first: a blob that somebody asked for since it was listed is put back. */
async function removeUnused(file: string, aside: string, spared: number): Promise<boolean> {
  try {
    await rename(file, aside)
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
  if (Math.round((await stat(aside)).mtimeMs) >= spared) {
    await rename(aside, file)
    return false
  }
  await rm(aside)
  return true
}

function totalOf(blobs: readonly { readonly bytes: number }[]) {
  return { bytes: blobs.reduce((sum, blob) => sum + blob.bytes, 0), blobs: blobs.length }
}
