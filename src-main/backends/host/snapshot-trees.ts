import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readJsonObject, syncFolder } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { cloneTrees, deleteTree, diskFull, freeBytes } from './clone-trees.ts'
import { isFolder, TREES } from './live-trees.ts'
import { type TreeManifest, treeManifest } from './tree-manifest.ts'

/** Beside the trees in a snapshot's folder: what they were when they were frozen. */
const MANIFEST = 'manifest.json'

export function partialOf(partsDir: string): string {
  return `${partsDir}.partial`
}

/**
 * Copies the live trees into a snapshot's partial folder and sums them up in the same pass. The listing is done long
 * before the copy, so it can stop one that would fill the disk. `isShared`: the copy takes no space of its own.
 * @throws BottleError `disk-full`
 */
export async function copyLive(
  live: string,
  partsDir: string,
  isShared: boolean,
  signal: AbortSignal,
): Promise<TreeManifest> {
  const partial = partialOf(partsDir)
  await deleteTree(partial, signal)
  await mkdir(partial, { recursive: true, mode: 0o700 })
  const free = await freeBytes(partial)
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const sources = TREES.map((tree) => join(live, tree))
  const copying = cloneTrees(sources, partial, either)
  const listing = treeManifest(live, TREES, either).then((manifest) => {
    if (!isShared && manifest.diskBytes > free) throw diskFull(manifest.diskBytes, free)
    return manifest
  })
  try {
    const [manifest] = await Promise.all([listing, copying])
    return manifest
  } catch (thrown) {
    // Neither may go on in a folder that is about to be deleted.
    stop.abort()
    await Promise.allSettled([listing, copying])
    throw thrown
  }
}

/** Gives a complete copy its final name. A folder of that name is complete by definition. */
export async function finishSnapshot(partsDir: string, manifest: TreeManifest): Promise<void> {
  const partial = partialOf(partsDir)
  await writeFile(join(partial, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
  await syncFolder(partial)
  await rename(partial, partsDir)
  await syncFolder(dirname(partsDir))
}

/** What a snapshot's folder says of itself; null when it says nothing readable. */
export async function readManifest(partsDir: string): Promise<TreeManifest | null> {
  const read = await readJsonObject(join(partsDir, MANIFEST))
  if (read.kind !== 'ok') return null
  const { entries, bytes, diskBytes, digest, leftOut } = read.value
  if (typeof entries !== 'number' || typeof bytes !== 'number' || typeof digest !== 'string') return null
  return {
    version: 1,
    entries,
    bytes,
    diskBytes: typeof diskBytes === 'number' ? diskBytes : bytes,
    digest,
    leftOut: Array.isArray(leftOut) ? leftOut.map(String) : [],
  }
}

/** True when the trees are those that the manifest tells of, entry by entry. */
export async function isIntact(
  partsDir: string,
  manifest: TreeManifest,
  signal: AbortSignal,
): Promise<boolean> {
  for (const tree of TREES) if (!(await isFolder(join(partsDir, tree)))) return false
  const found = await treeManifest(partsDir, TREES, signal)
  return (
    found.digest === manifest.digest && found.entries === manifest.entries && found.bytes === manifest.bytes
  )
}

/** Deletes a snapshot's folder or what is left of it; from the first moment it is no snapshot any more. */
export async function deleteSnapshotTrees(partsDir: string, signal?: AbortSignal): Promise<boolean> {
  const doomed = `${partsDir}.deleting`
  await deleteTree(doomed, signal)
  await deleteTree(partialOf(partsDir), signal)
  const existed = await rename(partsDir, doomed).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw bottleError('permission', `${partsDir} could not be deleted.`, {
        detail: error.message,
        cause: error,
      })
    },
  )
  await deleteTree(doomed, signal)
  return existed
}
