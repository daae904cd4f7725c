import { appendJournal } from '../state/journal.ts'
import { withLock } from '../state/lock.ts'
import {
  currentSnapshot,
  readCommittedImage,
  readSnapshots,
  writeCommittedImage,
} from '../state/snapshot-files.ts'
import { moveSnapshotFromTrash, type SnapshotEntry } from '../state/snapshot-trash.ts'
import type { BottleDeps } from './deps.ts'
import type { OperationContext } from './services.ts'

/**
 * Brings one deleted snapshot back into its bottle; it is current again where nothing newer is. The caller holds the
 * trash's lock. @throws BottleError `not-found` when its bottle is not there
 */
export async function undoSnapshot(
  deps: BottleDeps,
  id: string,
  entry: SnapshotEntry,
  context: OperationContext,
): Promise<{ readonly slug: string }> {
  const { slug, snapshot } = entry
  const options = { operation: 'undo', signal: context.signal }
  await withLock(deps.root, slug, options, async () => {
    await moveSnapshotFromTrash(deps.root, id, entry)
    const [{ snapshots }, committed] = await Promise.all([
      readSnapshots(deps.root, slug),
      readCommittedImage(deps.root, slug),
    ])
    const current = currentSnapshot(snapshots, committed)
    const isNewest = snapshots.at(-1)?.id === snapshot.id
    // One that can't be read is not ours to replace.
    if (entry.wasCurrent && isNewest && (current || committed.kind === 'absent')) {
      await writeCommittedImage(deps.root, slug, snapshot.reference)
    }
  })
  const message = `Snapshot ${snapshot.id} was brought back from ${id}.`
  await appendJournal(deps.root, slug, { op: 'undo', outcome: 'done', message })
  return { slug }
}
