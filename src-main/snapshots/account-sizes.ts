import type { LayerSizes } from '../backends/portable.ts'

/** One snapshot with what it weighs; a trashed one still keeps its layers on disk. */
export interface WeighedSnapshot {
  readonly slug: string
  readonly isTrashed: boolean
  /** Name of the engine's kind: the same layer key on two engines is two things. */
  readonly backend: string
  readonly sizes: LayerSizes
}

export interface Accounts {
  readonly snapshots: readonly {
    readonly slug: string
    readonly id: string
    readonly bytes: number
    /** What deleting exactly this one (and emptying the trash of it) frees. */
    readonly uniqueBytes: number
    readonly sharedBytes: number
  }[]
  /** What all snapshots that are not in the trash keep on disk, shared parts once, without what others use too. */
  readonly snapshotBytes: number
  /** What emptying the trash frees. */
  readonly trashBytes: number
}

interface Layer {
  readonly bytes: number
  users: number
  trashedUsers: number
  isUsedElsewhere: boolean
}

/** Counts each layer once, whoever uses it. Trashed snapshots count as users, since they can come back. Pure. */
export function accountSizes(weighed: readonly WeighedSnapshot[]): Accounts {
  const layers = new Map<string, Layer>()
  for (const snapshot of weighed) {
    const elsewhere = new Set(snapshot.sizes.usedElsewhere)
    for (const [key, bytes] of layersOf(snapshot)) {
      const name = `${snapshot.backend}\0${key}`
      const layer = layers.get(name) ?? { bytes, users: 0, trashedUsers: 0, isUsedElsewhere: false }
      layer.users += 1
      if (snapshot.isTrashed) layer.trashedUsers += 1
      if (elsewhere.has(key)) layer.isUsedElsewhere = true
      layers.set(name, layer)
    }
  }
  const freed = [...layers.values()].filter((layer) => !layer.isUsedElsewhere)
  return {
    snapshots: weighed.filter((snapshot) => !snapshot.isTrashed).map((snapshot) => sizeOf(snapshot, layers)),
    snapshotBytes: sum(freed.filter((layer) => layer.users > layer.trashedUsers)),
    trashBytes: sum(freed.filter((layer) => layer.users === layer.trashedUsers)),
  }
}

/** A key that a chain names twice is one thing. */
function layersOf(snapshot: WeighedSnapshot): ReadonlyMap<string, number> {
  return new Map(snapshot.sizes.layers.map(({ key, bytes }) => [key, bytes]))
}

function sizeOf(snapshot: WeighedSnapshot, layers: ReadonlyMap<string, Layer>) {
  let bytes = 0
  let uniqueBytes = 0
  for (const [key, size] of layersOf(snapshot)) {
    const layer = layers.get(`${snapshot.backend}\0${key}`)
    bytes += size
    if (layer?.users === 1 && !layer.isUsedElsewhere) uniqueBytes += size
  }
  const { slug, sizes } = snapshot
  return { slug, id: sizes.snapshotId, bytes, uniqueBytes, sharedBytes: bytes - uniqueBytes }
}

function sum(layers: readonly Layer[]): number {
  return layers.reduce((total, layer) => total + layer.bytes, 0)
}

/** What deleting several snapshots at once frees: layers that only they use. Pure. */
export function bytesFreedBy(
  weighed: readonly WeighedSnapshot[],
  isDoomed: (slug: string, id: string) => boolean,
): number {
  const doomed = weighed.map((snapshot) => ({
    ...snapshot,
    isTrashed: !snapshot.isTrashed && isDoomed(snapshot.slug, snapshot.sizes.snapshotId),
  }))
  return accountSizes(doomed).trashBytes
}
