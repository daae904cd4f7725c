import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import type { RuntimeRef } from '../../backend.ts'
import type { RuntimeDifference } from '../../portable.ts'
import type { HostContext } from '../host-context.ts'
import { hasTrees, requireSnapshotTrees } from '../live-trees.ts'
import { pathsOf } from '../run-record.ts'
import { toImagePath } from './image-paths.ts'
import { listTree, type TreeItem } from './list-tree.ts'

/** What the live trees hold that a snapshot does not, and the other way round, as far as listings tell. */
export async function differencesOf(
  context: HostContext,
  ref: RuntimeRef,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<readonly RuntimeDifference[] | null> {
  const { bottle } = pathsOf(context.home, ref)
  if (!(await hasTrees(bottle))) return null
  const frozen = await requireSnapshotTrees(context.home, snapshot)
  const [before, now] = await Promise.all([listTree(frozen, signal), listTree(bottle.live, signal)])
  return compareTrees(before, now)
}

/** Sorted by path as in the image. Pure. */
export function compareTrees(
  before: readonly TreeItem[],
  now: readonly TreeItem[],
): readonly RuntimeDifference[] {
  const older = new Map(before.map((item) => [item.path, item]))
  const found: RuntimeDifference[] = []
  for (const item of now) {
    const was = older.get(item.path)
    older.delete(item.path)
    if (was && sameContent(was, item)) continue
    found.push(difference(item, was ? 'changed' : 'added'))
  }
  for (const item of older.values()) found.push(difference(item, 'removed'))
  return found.sort((one, other) => (one.path < other.path ? -1 : one.path > other.path ? 1 : 0))
}

/** As the freeze's own manifest sees it: a folder's size and time say nothing that its entries don't. */
function sameContent(one: TreeItem, other: TreeItem): boolean {
  if (one.kind !== other.kind) return false
  if (one.kind === 'l') return one.target === other.target
  if (one.mode !== other.mode) return false
  return one.kind !== 'f' || (one.size === other.size && one.mtime === other.mtime)
}

function difference(item: TreeItem, kind: RuntimeDifference['kind']): RuntimeDifference {
  return {
    path: `/${toImagePath(item.path)}`,
    kind,
    isFolder: item.kind === 'd',
    bytes: kind === 'removed' || item.kind !== 'f' ? null : item.size,
  }
}
