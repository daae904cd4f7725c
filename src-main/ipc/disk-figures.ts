import { statfs } from 'node:fs/promises'
import type { Bottle, Snapshot, StateSnapshot } from '../../src-preload/contract/index.ts'

type Disk = NonNullable<StateSnapshot['disk']>

/**
 * Free bytes where the state lies, and the bytes of all snapshots (each counted above its parent).
 * A bottle's records are read again only when its row changed since the last call.
 */
export function createDiskFigures(
  home: string,
  snapshotsOf: (slug: string) => Promise<readonly Snapshot[]>,
): (rows: readonly Bottle[]) => Promise<Disk> {
  const known = new WeakMap<Bottle, number>()
  return async (rows) => {
    let snapshotBytes = 0
    for (const row of rows) {
      let bytes = known.get(row)
      if (bytes === undefined) {
        bytes = row.snapshots === 0 ? 0 : sum(await snapshotsOf(row.slug))
        known.set(row, bytes)
      }
      snapshotBytes += bytes
    }
    const { bavail, bsize } = await statfs(home)
    return { freeBytes: bavail * bsize, snapshotBytes }
  }
}

function sum(snapshots: readonly Snapshot[]): number {
  return snapshots.reduce((total, snapshot) => total + (snapshot.ownBytes ?? snapshot.bytes), 0)
}
