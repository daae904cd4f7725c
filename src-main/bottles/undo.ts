import { readdir } from 'node:fs/promises'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import { appendJournal } from '../state/journal.ts'
import { withLock } from '../state/lock.ts'
import { readMetadata, writeMetadata } from '../state/metadata.ts'
import { isSlug, numberedSlug } from '../state/slug.ts'
import {
  readCommittedImage,
  readSnapshots,
  writeCommittedImage,
  writeSnapshot,
} from '../state/snapshot-files.ts'
import { moveFromTrash, trashedSlugs, trashSlug } from '../state/trash.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { findTrashEntry } from './purge.ts'
import type { OperationContext } from './services.ts'

/** The first free slug from a base, counting up; what lies in the trash under the base itself is no obstacle. */
async function freeSlug(deps: BottleDeps, base: string): Promise<string> {
  const [names, trashed] = await Promise.all([readdir(deps.root.path('state')), trashedSlugs(deps.root)])
  const taken = new Set(names.filter(isSlug))
  if (!taken.has(base)) return base
  for (let n = 2; ; n++) {
    const slug = numberedSlug(base, n)
    if (!taken.has(slug) && !trashed.has(slug)) return slug
  }
}

/** Brings a destroyed bottle back from the trash, under a numbered slug when its own is taken. */
export async function undoDestroy(
  deps: BottleDeps,
  idOrSlug: string,
  context: OperationContext,
): Promise<{ readonly slug: string }> {
  const id = await findTrashEntry(deps, idOrSlug)
  const was = trashSlug(id)
  if (!was) throw bottleError('not-found', `${id} is no bottle in the trash.`)
  const slug = await freeSlug(deps, was)
  await withLock(deps.root, slug, { operation: 'undo', signal: context.signal }, async () => {
    await moveFromTrash(deps.root, id, slug)
    await repoint(deps, was, slug)
    await appendJournal(deps.root, slug, { op: 'undo', outcome: 'done', message: `Brought back from ${id}.` })
  })
  return { slug }
}

/** Host snapshots are named by path, so a new slug needs new references; image tags stay as they are. */
async function repoint(deps: BottleDeps, was: string, slug: string): Promise<void> {
  if (was === slug) return
  const from = deps.root.path('state', was, 'snapshots')
  const to = deps.root.path('state', slug, 'snapshots')
  const moved = (reference: string) =>
    reference.startsWith(`${from}/`) ? to + reference.slice(from.length) : reference
  const { snapshots } = await readSnapshots(deps.root, slug)
  for (const snapshot of snapshots) {
    const next: Snapshot = { ...snapshot, slug, reference: moved(snapshot.reference) }
    await writeSnapshot(deps.root, next)
  }
  const committed = await readCommittedImage(deps.root, slug)
  if (committed.kind === 'ok') await writeCommittedImage(deps.root, slug, moved(committed.reference))
  const read = await readMetadata(deps.root, slug)
  if (read.kind === 'ok') await writeMetadata(deps.root, slug, { ...read.metadata, identity: slug })
}
