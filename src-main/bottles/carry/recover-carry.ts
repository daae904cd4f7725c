import { clearIntent, type WrittenIntent } from '../../state/intent.ts'
import { appendJournal } from '../../state/journal.ts'
import { removeTree } from '../../state/remove-tree.ts'
import { readSnapshots } from '../../state/snapshot-files.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { BottleDeps } from '../deps.ts'

/**
 * Finishes or takes back a snapshot that was being made for another backend when its process died: recorded, it is
 * whole; else nothing of it stays, and the next try makes it anew. The caller holds the lock.
 */
export async function recoverCarry(
  deps: BottleDeps,
  slug: string,
  { draft, target }: WrittenIntent,
  signal: AbortSignal,
): Promise<string> {
  const { snapshots } = await readSnapshots(deps.root, slug)
  const isRecorded = snapshots.some(({ id }) => id === draft?.id)
  if (draft && target && !isRecorded) {
    const backend = await deps.backends.get(draft.backend)
    const { left } = await backend.discardSnapshot({ ...draft, slug, reference: target }, signal)
    if (left.length > 0) throw bottleError('busy', `${left.join(', ')} could not be removed yet.`, { slug })
    await removeTree(deps.root.path('state', slug, 'snapshots', `${draft.id}.d`))
  }
  await clearIntent(deps.root, slug)
  const message = isRecorded
    ? 'A snapshot for another backend that was being made is complete.'
    : 'A snapshot for another backend that was being made was taken back; the bottle is as it was before.'
  await appendJournal(deps.root, slug, { op: 'recover', outcome: 'recovered', message })
  return `${slug}: ${message}`
}
