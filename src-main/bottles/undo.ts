import { readdir } from 'node:fs/promises'
import { readJsonObject, readText, writeDurable } from '../state/durable-file.ts'
import { appendJournal } from '../state/journal.ts'
import { withLock } from '../state/lock.ts'
import { metadataText, parseMetadata } from '../state/metadata.ts'
import { isSlug, numberedSlug } from '../state/slug.ts'
import { readSnapshotEntry } from '../state/snapshot-trash.ts'
import { moveFromTrash, trashedSlugs, trashSlug } from '../state/trash.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { findTrashEntry, withTrash } from './purge.ts'
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

/**
 * Brings a destroyed bottle back from the trash, under a numbered slug when its own is taken; a single snapshot goes
 * back into its bottle.
 */
export async function undoDestroy(
  deps: BottleDeps,
  idOrSlug: string,
  context: OperationContext,
): Promise<{ readonly slug: string }> {
  return withTrash(deps, 'undo', context.signal, async () => {
    const id = await findTrashEntry(deps, idOrSlug)
    const entry = await readSnapshotEntry(deps.root, id)
    if (entry) return (await import('./undo-snapshot.ts')).undoSnapshot(deps, id, entry, context)
    const was = trashSlug(id)
    if (!was) throw bottleError('not-found', `${id} is no bottle in the trash.`)
    const slug = await freeSlug(deps, was)
    await withLock(deps.root, slug, { operation: 'undo', signal: context.signal }, async () => {
      // Before the move: a crash between the two leaves a whole entry in the trash and no half bottle.
      await repoint(deps, id, slug)
      await moveFromTrash(deps.root, id, slug)
    })
    await appendJournal(deps.root, slug, { op: 'undo', outcome: 'done', message: `Brought back from ${id}.` })
    return { slug }
  })
}

/** Snapshots of some backends are named by path, so a slug needs its own references; image tags stay as they are. */
async function repoint(deps: BottleDeps, id: string, slug: string): Promise<void> {
  const at = (...parts: string[]) => deps.root.path('trash', id, ...parts)
  const states = `${deps.root.path('state')}/`
  const moved = (reference: string) =>
    reference.startsWith(states)
      ? deps.root.path('state', slug, ...reference.slice(states.length).split('/').slice(1))
      : reference
  const names = await readdir(at('snapshots')).catch(() => [] as string[])
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    const read = await readJsonObject(at('snapshots', name))
    if (read.kind !== 'ok' || typeof read.value.reference !== 'string') continue
    const next = { ...read.value, slug, reference: moved(read.value.reference) }
    await writeDurable(at('snapshots', name), `${JSON.stringify(next, null, 2)}\n`)
  }
  const committed = await readText(at('committed-image'))
  if (committed?.startsWith(states)) {
    await writeDurable(at('committed-image'), `${moved(committed.trim())}\n`, 0o644)
  }
  const read = await readJsonObject(at('metadata.json'))
  if (read.kind !== 'ok') return
  const metadata = parseMetadata(read.value)
  const runs = metadata.icebox?.runs.map((run) => ({ ...run, ref: run.ref ? { ...run.ref, slug } : null }))
  const icebox = metadata.icebox && runs ? { ...metadata.icebox, runs } : metadata.icebox
  await writeDurable(at('metadata.json'), metadataText({ ...metadata, identity: slug, icebox }))
}
