import type { Snapshot } from '../../src-preload/contract/index.ts'

/** Deleted snapshots and their parents: what bridges the gaps that they leave in a tree. */
export type Gone = ReadonlyMap<string, string | null>

/**
 * The nearest ancestor that still exists, by snapshot id; null for a root. A parent that neither exists nor is known
 * to be gone makes its child a root, and so does a circle of them. Pure.
 */
export function linkTree(
  snapshots: readonly Pick<Snapshot, 'id' | 'parent'>[],
  gone: Gone,
): ReadonlyMap<string, string | null> {
  const there = new Set(snapshots.map(({ id }) => id))
  return new Map(
    snapshots.map(({ id, parent }) => {
      const seen = new Set([id])
      let at = parent
      while (at !== null && !there.has(at)) {
        if (seen.has(at)) return [id, null]
        seen.add(at)
        at = gone.get(at) ?? null
      }
      return [id, at === id ? null : at]
    }),
  )
}

/** Snapshots whose parents are their nearest existing ancestors, for showing them as a tree. Pure. */
export function withLinks(snapshots: readonly Snapshot[], gone: Gone): readonly Snapshot[] {
  const links = linkTree(snapshots, gone)
  return snapshots.map((snapshot) => {
    const parent = links.get(snapshot.id) ?? null
    return parent === snapshot.parent ? snapshot : { ...snapshot, parent }
  })
}
