import type { Bottle, Snapshot } from '../../src-preload/contract/entities.ts'
import { isActive } from '../bottles/bottle-look.ts'
import type { TreeItem } from './lanes.ts'

/** What the timeline of a bottle shows: its snapshots, its present moment, and the bottles that grew out of it. */
export type TimelineNode = TreeItem &
  (
    | { readonly kind: 'now'; readonly bottle: Bottle }
    | { readonly kind: 'snapshot'; readonly snapshot: Snapshot; readonly isCurrent: boolean }
    | { readonly kind: 'fork'; readonly bottle: Bottle }
  )

/** True when the bottle may hold something that no snapshot has. */
export function hasUnfrozen(bottle: Bottle): boolean {
  return isActive(bottle) || bottle.state === 'failed' || bottle.state === 'stopped'
}

const FAR = '9999'

/** The nodes of a bottle's timeline, in no order. */
export function timelineNodes(
  bottle: Bottle,
  tree: readonly Snapshot[],
  bottles: readonly Bottle[],
): readonly TimelineNode[] {
  const nodes: TimelineNode[] = tree.map((snapshot) => ({
    kind: 'snapshot',
    id: snapshot.id,
    parent: snapshot.parent,
    at: snapshot.createdAt,
    snapshot,
    isCurrent: snapshot.id === bottle.currentSnapshot,
  }))
  if (hasUnfrozen(bottle))
    nodes.push({ kind: 'now', id: 'now', parent: bottle.currentSnapshot, at: FAR, bottle })
  for (const other of bottles) {
    const [slug, snapshot] = other.parent?.split('@') ?? []
    if (slug !== bottle.slug || !snapshot || other.slug === bottle.slug) continue
    nodes.push({
      kind: 'fork',
      id: `fork ${other.slug}`,
      parent: snapshot,
      at: other.startedAt,
      bottle: other,
    })
  }
  return nodes
}
