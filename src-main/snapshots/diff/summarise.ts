import type { DiffEntry, DiffFolder, SnapshotDiff } from '../../../src-preload/contract/index.ts'
import type { TreeChange } from './compare-trees.ts'
import type { TreeNode } from './layer-tree.ts'
import { shownPath } from './shown-path.ts'

export type DiffSummary = Pick<SnapshotDiff, 'totals' | 'folders' | 'entries' | 'truncated'>

interface Sum {
  added: number
  changed: number
  removed: number
  bytes: number
}

/**
 * Changes as people read them: sorted entries up to a limit, and the sums of every folder over all of them, also
 * those that are not shown. Metadata counts as changed. More folders than the limit: the deepest are left out.
 * `prefix` stands before every path. Pure.
 */
export function summarise(changes: readonly TreeChange[], prefix: string, limit: number): DiffSummary {
  const totals: Sum = { added: 0, changed: 0, removed: 0, bytes: 0 }
  const folders = new Map<string, Sum>()
  for (const change of changes) {
    const grown = bytesOf(change.after) - bytesOf(change.before)
    count(totals, change.kind, grown)
    for (let at = change.path.lastIndexOf('/'); at >= 0; at = change.path.lastIndexOf('/', at - 1)) {
      const folder = change.path.slice(0, at)
      const sum = folders.get(folder) ?? { added: 0, changed: 0, removed: 0, bytes: 0 }
      folders.set(folder, sum)
      count(sum, change.kind, grown)
      if (at === 0) break
    }
  }
  const sorted = [...changes].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return {
    totals,
    folders: shownFolders(folders, prefix, limit),
    entries: sorted.slice(0, limit).map((change) => shownEntry(change, prefix)),
    truncated: Math.max(0, sorted.length - limit),
  }
}

function count(sum: Sum, kind: TreeChange['kind'], bytes: number): void {
  sum[kind === 'metadata' ? 'changed' : kind] += 1
  sum.bytes += bytes
}

function bytesOf(node: TreeNode | null): number {
  return node?.entry?.kind === 'f' ? node.entry.size : 0
}

function shownFolders(folders: ReadonlyMap<string, Sum>, prefix: string, limit: number): DiffFolder[] {
  const depth = (path: string) => path.split('/').length
  let kept = [...folders]
  for (
    let most = Math.max(0, ...kept.map(([path]) => depth(path)));
    kept.length > limit && most > 1;
    most--
  ) {
    kept = kept.filter(([path]) => depth(path) < most)
  }
  return kept
    .slice(0, limit)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, sum]) => ({ path: prefix + shownPath(path), ...sum }))
}

function shownEntry(change: TreeChange, prefix: string): DiffEntry {
  const sizeOf = (node: TreeNode | null) => (node?.entry?.kind === 'f' ? node.entry.size : null)
  return {
    path: prefix + shownPath(change.path),
    kind: change.kind,
    type: typeOf(change.after ?? change.before),
    bytesBefore: sizeOf(change.before),
    bytesAfter: sizeOf(change.after),
  }
}

function typeOf(node: TreeNode | null): DiffEntry['type'] {
  if (!node || node.children) return 'folder'
  if (node.entry?.kind === 'f') return 'file'
  return node.entry?.kind === 'l' ? 'link' : 'special'
}
