import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { listTree, type TreeItem } from '../../backends/host/portable/list-tree.ts'
import type { ListedEntry } from '../../workers/types.ts'
import { applyLayer, EMPTY_TREE, type TreeNode } from '../diff/layer-tree.ts'

const PIECE = 1 << 20
/** Files that are hashed at the same time: a disk does not get faster by more. */
const AT_ONCE = 8

/**
 * The trees of two folders of this machine, ready to be compared. As a freeze does, files of the same size and time
 * count as the same; only those whose time differs and whose size does not are read.
 */
export async function readFolderTrees(
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<{ readonly from: TreeNode; readonly to: TreeNode }> {
  const [before, after] = await Promise.all([listTree(from, signal), listTree(to, signal)])
  const hashes = await hashUnclear(from, before, to, after, signal)
  return { from: treeOf(before, hashes.from), to: treeOf(after, hashes.to) }
}

interface Hashes {
  readonly from: ReadonlyMap<string, string>
  readonly to: ReadonlyMap<string, string>
}

async function hashUnclear(
  from: string,
  before: readonly TreeItem[],
  to: string,
  after: readonly TreeItem[],
  signal: AbortSignal,
): Promise<Hashes> {
  const older = new Map(before.filter(({ kind }) => kind === 'f').map((item) => [item.path, item]))
  const unclear = after.filter((item) => {
    const was = older.get(item.path)
    return item.kind === 'f' && was !== undefined && was.size === item.size && was.mtime !== item.mtime
  })
  const hashes = { from: new Map<string, string>(), to: new Map<string, string>() }
  const queue = unclear.values()
  const work = async () => {
    for (const { path } of queue) {
      const [was, is] = await Promise.all([hashFile(from, path, signal), hashFile(to, path, signal)])
      hashes.from.set(path, was)
      hashes.to.set(path, is)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return hashes
}

/** Names are bytes. A file that went away or can't be read meanwhile counts as changed. */
async function hashFile(base: string, path: string, signal: AbortSignal): Promise<string> {
  try {
    const handle = await open(fullPath(base, path), 'r')
    try {
      const hash = createHash('sha256')
      const piece = Buffer.allocUnsafe(PIECE)
      for (;;) {
        signal.throwIfAborted()
        const { bytesRead } = await handle.read(piece, 0, PIECE)
        if (bytesRead === 0) return hash.digest('hex')
        hash.update(piece.subarray(0, bytesRead))
      }
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    if (signal.aborted) throw thrown
    return `unread ${base}`
  }
}

/** A path below a folder, as bytes. Pure. */
export function fullPath(base: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${base}/`), Buffer.from(path, 'latin1')])
}

function treeOf(items: readonly TreeItem[], hashes: ReadonlyMap<string, string>): TreeNode {
  return applyLayer(
    EMPTY_TREE,
    items.map((item) => entryOf(item, hashes.get(item.path) ?? '')),
    0,
  )
}

function entryOf(item: TreeItem, hash: string): ListedEntry {
  const { path, mode, size, mtime, target } = item
  const kind = item.kind === 'f' || item.kind === 'd' || item.kind === 'l' ? item.kind : 'p'
  // All files here belong to the one user of this machine.
  return {
    path,
    kind,
    mode,
    uid: 0,
    gid: 0,
    size: kind === 'f' ? size : 0,
    mtime,
    link: target,
    hash,
    extra: '',
  }
}
