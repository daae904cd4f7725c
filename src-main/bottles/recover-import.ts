import { notifyChange } from '../state/changes.ts'
import { clearIntent, type WrittenIntent } from '../state/intent.ts'
import { appendJournal } from '../state/journal.ts'
import { removeTree } from '../state/remove-tree.ts'
import { readCommittedImage, readSnapshots } from '../state/snapshot-files.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'

/**
 * Finishes or takes back an import whose process died: a bottle that resumes is whole, and of any other nothing
 * stays, neither here nor on the engine. The caller holds the lock.
 */
export async function recoverImport(
  deps: BottleDeps,
  slug: string,
  intent: WrittenIntent,
  signal: AbortSignal,
): Promise<string> {
  if (await isWhole(deps, slug)) {
    await clearIntent(deps.root, slug)
    const message = 'An import that was cut off is complete.'
    await appendJournal(deps.root, slug, { op: 'recover', outcome: 'recovered', message })
    return `${slug}: ${message}`
  }
  await removeImport(deps, slug, intent, signal)
  return `${slug}: an import that was cut off was taken back; nothing of it is left.`
}

async function isWhole(deps: BottleDeps, slug: string): Promise<boolean> {
  const committed = await readCommittedImage(deps.root, slug)
  if (committed.kind !== 'ok') return false
  const { snapshots } = await readSnapshots(deps.root, slug)
  return snapshots.some((snapshot) => snapshot.reference === committed.reference)
}

/** Removes a half-made bottle: first what its engine has of it, then its folder. @throws BottleError `busy` */
export async function removeImport(
  deps: BottleDeps,
  slug: string,
  intent: Pick<WrittenIntent, 'draft' | 'target'>,
  signal: AbortSignal,
): Promise<void> {
  const { draft, target } = intent
  if (draft && target) {
    const backend = await deps.backends.get(draft.backend)
    const { left } = await backend.discardSnapshot({ ...draft, slug, reference: target }, signal)
    if (left.length > 0) throw bottleError('busy', `${left.join(', ')} could not be removed yet.`, { slug })
  }
  await removeTree(deps.root.path('state', slug))
  notifyChange(deps.root, slug)
}
