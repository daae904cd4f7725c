import type { SnapshotSize, SpaceUsage } from '../../src-preload/contract/artifacts.ts'

export type PartName = 'unique' | 'shared' | 'store' | 'trash' | 'free'

export interface Part {
  readonly name: PartName
  readonly bytes: number
}

/** The disk in parts that don't overlap, in the order of the bar. */
export function partsOf(usage: SpaceUsage): readonly Part[] {
  const unique = usage.snapshots.reduce((sum, snapshot) => sum + snapshot.uniqueBytes, 0)
  return [
    { name: 'unique', bytes: Math.min(unique, usage.snapshotBytes) },
    { name: 'shared', bytes: Math.max(0, usage.snapshotBytes - unique) },
    { name: 'store', bytes: usage.storeBytes },
    { name: 'trash', bytes: usage.trashBytes },
    { name: 'free', bytes: usage.freeBytes },
  ]
}

/** The snapshots of one bottle together. */
export interface BottleSpace {
  readonly slug: string
  readonly count: number
  /** What deleting each of them would free at the least: what two of them share is not in it. */
  readonly uniqueBytes: number
}

/** Bottles by what only their snapshots use, the largest first. */
export function byBottle(snapshots: readonly SnapshotSize[]): readonly BottleSpace[] {
  const bottles = new Map<string, BottleSpace>()
  for (const { slug, uniqueBytes } of snapshots) {
    const known = bottles.get(slug) ?? { slug, count: 0, uniqueBytes: 0 }
    bottles.set(slug, { slug, count: known.count + 1, uniqueBytes: known.uniqueBytes + uniqueBytes })
  }
  return [...bottles.values()].sort((a, b) => b.uniqueBytes - a.uniqueBytes || (a.slug < b.slug ? -1 : 1))
}
