import type { Snapshot } from '../../src-preload/contract/index.ts'
import { withLinks } from '../snapshots/link-tree.ts'
import { readGone } from '../state/gone-snapshots.ts'
import { withLock } from '../state/lock.ts'
import { requireMetadata, requireWritable } from '../state/metadata.ts'
import { pickSnapshot, readSnapshots, writeSnapshot } from '../state/snapshot-files.ts'
import type { BottleDeps } from './deps.ts'

/** All recorded snapshots of a bottle, oldest first; a deleted parent is replaced by the nearest one that is there. */
export async function listSnapshots(deps: BottleDeps, slug: string): Promise<readonly Snapshot[]> {
  await requireMetadata(deps.root, slug)
  const { snapshots } = await readSnapshots(deps.root, slug)
  return withLinks(snapshots, await readGone(deps.root, slug))
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
  requireWritable(slug, await requireMetadata(deps.root, slug))
  return withLock(deps.root, slug, { operation: 'edit snapshot' }, async () => {
    const { snapshots } = await readSnapshots(deps.root, slug)
    const edited = { ...pickSnapshot(slug, snapshots, snapshotId), ...edit }
    await writeSnapshot(deps.root, edited)
    return edited
  })
}
