import type { Snapshot } from '../../src-preload/contract/index.ts'
import { withLock } from '../state/lock.ts'
import { requireMetadata } from '../state/metadata.ts'
import { pickSnapshot, readSnapshots, writeSnapshot } from '../state/snapshot-files.ts'
import { snapshotView } from './adopt-committed.ts'
import type { BottleDeps } from './deps.ts'

/** All snapshots of a bottle, oldest first; one that bot-bottle made is given its record. */
export async function listSnapshots(deps: BottleDeps, slug: string): Promise<readonly Snapshot[]> {
  const metadata = await requireMetadata(deps.root, slug)
  return (await snapshotView(deps, slug, metadata)).snapshots
}

export interface SnapshotEdit {
  readonly note?: string
  readonly label?: string
  readonly pinned?: boolean
}

/** Changes what people wrote on a snapshot; what was captured never changes. */
export async function editSnapshot(
  deps: BottleDeps,
  slug: string,
  snapshotId: string,
  edit: SnapshotEdit,
): Promise<Snapshot> {
  await requireMetadata(deps.root, slug)
  return withLock(deps.root, slug, { operation: 'edit snapshot' }, async () => {
    const { snapshots } = await readSnapshots(deps.root, slug)
    const edited = { ...pickSnapshot(slug, snapshots, snapshotId), ...edit }
    await writeSnapshot(deps.root, edited)
    return edited
  })
}
