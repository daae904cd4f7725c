import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { requireSnapshotTrees } from '../backends/host/live-trees.ts'
import { bottlePaths } from '../backends/host/paths.ts'
import { nodeAt } from '../snapshots/diff/layer-tree.ts'
import { TEXT_MAX } from '../snapshots/diff/text-diff.ts'
import { fullPath, readFolderTrees } from '../snapshots/host/folder-trees.ts'
import { PACKAGE_FILE_MAX } from '../snapshots/packages/package-files.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import { type Comparison, nodeOf, noText, type SideName } from './diff-comparison.ts'
import type { ResolvedPoint } from './diff-points.ts'

/** Host trees: both lie on this machine. */
export async function compareFolders(
  deps: ArtifactDeps,
  from: ResolvedPoint,
  to: ResolvedPoint,
  signal: AbortSignal,
): Promise<Comparison> {
  const folders = { from: await folderOf(deps, from), to: await folderOf(deps, to) }
  const trees = await readFolderTrees(folders.from, folders.to, signal)
  const read = (side: SideName, path: string, max: number) => readPlainFile(folders[side], path, max)
  return {
    ...trees,
    prefix: '',
    config: [],
    notices: [],
    async packageList(side, change) {
      if (nodeOf(side, change)?.entry?.kind !== 'f') return null
      const bytes = await read(side, change.path, PACKAGE_FILE_MAX)
      return bytes && Buffer.from(bytes).toString('utf8')
    },
    async readFile(side, path) {
      const node = nodeAt(trees[side], path)
      if (!node) return null
      return noText(node) ?? (await read(side, path, TEXT_MAX + 1))
    },
  }
}

async function folderOf(deps: ArtifactDeps, point: ResolvedPoint): Promise<string> {
  return point.kind === 'snapshot'
    ? requireSnapshotTrees(deps.root.dir, point.snapshot)
    : bottlePaths(deps.root.dir, point.name).live
}

/** The path comes from a listing, which no link leads out of; the last name is not followed either. */
async function readPlainFile(base: string, path: string, max: number): Promise<Uint8Array | null> {
  const handle = await open(
    fullPath(base, path),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  )
  try {
    const found = await handle.stat()
    const bytes = Buffer.alloc(Math.min(found.size, max))
    let at = 0
    while (at < bytes.length) {
      const { bytesRead } = await handle.read(bytes, at, bytes.length - at)
      if (bytesRead === 0) break
      at += bytesRead
    }
    return bytes.subarray(0, at)
  } finally {
    await handle.close()
  }
}
