import type { RuntimeDifference } from '../../backends/portable.ts'
import type { ListedEntry } from '../../workers/types.ts'
import { applyLayer, nodeAt, type TreeNode } from './layer-tree.ts'

/**
 * A snapshot's tree as a runtime has changed it since, as far as its engine tells: which paths, of what size, but not
 * their content. A folder that is only told as changed is left as it was: its entries tell what changed. Pure.
 */
export function applyDifferences(
  tree: TreeNode,
  differences: readonly RuntimeDifference[],
  layer: number,
): TreeNode {
  const entries: ListedEntry[] = []
  for (const difference of differences) {
    const path = difference.path.replace(/^\/+/, '')
    if (difference.kind === 'removed') entries.push(entry(path, 'w', 0, ''))
    else if (difference.isFolder) {
      const held = nodeAt(tree, path)
      if (!held?.children) entries.push(entry(path, 'd', 0, ''))
    } else entries.push(changedEntry(tree, path, difference.bytes))
  }
  return applyLayer(tree, entries, layer)
}

function changedEntry(tree: TreeNode, path: string, bytes: number | null): ListedEntry {
  const held = nodeAt(tree, path)?.entry
  if (bytes !== null)
    return { ...(held ?? entry(path, 'f', 0, '')), path, kind: 'f', size: bytes, hash: 'unknown' }
  // What is no file is mostly a link.
  const kind = held && held.kind !== 'd' && held.kind !== 'f' ? held.kind : 'l'
  return { ...(held ?? entry(path, kind, 0, '')), path, kind, link: '\0unknown', extra: 'unknown', hash: '' }
}

function entry(path: string, kind: ListedEntry['kind'], size: number, hash: string): ListedEntry {
  const mode = kind === 'd' ? 0o755 : 0o644
  return { path, kind, mode, uid: 0, gid: 0, size, mtime: '', link: '', hash, extra: '' }
}
