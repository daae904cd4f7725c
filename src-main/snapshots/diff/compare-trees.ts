import type { DiffEntry } from '../../../src-preload/contract/index.ts'
import type { ListedEntry } from '../../workers/types.ts'
import type { TreeNode } from './layer-tree.ts'

/** One difference; paths are bytes, one per character, without a leading `/`. */
export interface TreeChange {
  readonly path: string
  readonly kind: DiffEntry['kind']
  readonly before: TreeNode | null
  readonly after: TreeNode | null
}

/**
 * What differs between two trees, in no promised order. A file differs by its content, a link by its target.
 * `metadata` is a change of mode, owner or extended attributes alone; times alone are no change, since every write
 * beside a file touches its folder. What was removed and put back the same is no change. Pure.
 */
export function compareTrees(before: TreeNode, after: TreeNode): TreeChange[] {
  const changes: TreeChange[] = []
  compareNodes('', before, after, changes)
  return changes
}

function compareNodes(
  path: string,
  before: TreeNode | null,
  after: TreeNode | null,
  changes: TreeChange[],
): void {
  if (before === after) return
  const kind = path === '' ? null : kindOfChange(before, after)
  if (kind) changes.push({ path, kind, before, after })
  const prefix = path === '' ? '' : `${path}/`
  for (const [name, child] of before?.children ?? []) {
    compareNodes(prefix + name, child, after?.children?.get(name) ?? null, changes)
  }
  for (const [name, child] of after?.children ?? []) {
    if (!before?.children?.has(name)) compareNodes(prefix + name, null, child, changes)
  }
}

function kindOfChange(before: TreeNode | null, after: TreeNode | null): TreeChange['kind'] | null {
  if (!before) return 'added'
  if (!after) return 'removed'
  if (Boolean(before.children) !== Boolean(after.children)) return 'changed'
  const [a, b] = [before.entry, after.entry]
  // A folder that no layer lists says nothing of its mode and owner.
  if (!a || !b) return null
  if (!before.children && !hasSameContent(a, b)) return 'changed'
  return hasSameMetadata(a, b) ? null : 'metadata'
}

function hasSameContent(a: ListedEntry, b: ListedEntry): boolean {
  if (a.kind !== b.kind) return false
  if (a.kind === 'f') return a.size === b.size && a.hash === b.hash
  return a.kind === 'l' ? a.link === b.link : a.extra === b.extra && a.size === b.size
}

function hasSameMetadata(a: ListedEntry, b: ListedEntry): boolean {
  if (a.uid !== b.uid || a.gid !== b.gid || a.extra !== b.extra) return false
  // A link's mode means nothing, and archives write different ones.
  return a.kind === 'l' || (a.mode & 0o7777) === (b.mode & 0o7777)
}
