import type { Done, Snapshot } from '../../src-preload/contract/index.ts'
import { readJsonObject } from '../state/durable-file.ts'
import { withLock } from '../state/lock.ts'
import { parseMetadata, readMetadata } from '../state/metadata.ts'
import { readSnapshots } from '../state/snapshot-files.ts'
import { purgeTrashFiles, readTrash, trashedSnapshots } from '../state/trash.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { readSlugs } from './read-slugs.ts'

/** Milliseconds to wait for another purge: it may have many images to delete. */
const TRASH_WAIT_MS = 120_000

/** One lock for all of the trash: an undo and a purge of the same entry must not meet. No slug has this name. */
const TRASH_LOCK = '_trash'

/** Runs with the trash to oneself. */
export function withTrash<T>(
  deps: BottleDeps,
  operation: string,
  signal: AbortSignal,
  run: () => Promise<T>,
) {
  return withLock(deps.root, TRASH_LOCK, { operation, signal, waitMs: TRASH_WAIT_MS }, run)
}

/**
 * Deletes a trash entry for good: the engine's images, the bottle's volumes, then its files. What can't be
 * deleted keeps the entry, so that a later try finds it.
 */
export function purgeEntry(deps: BottleDeps, id: string, signal: AbortSignal): Promise<Done> {
  return withTrash(deps, 'purge', signal, () => purgeLocked(deps, id, signal))
}

async function purgeLocked(deps: BottleDeps, id: string, signal: AbortSignal): Promise<Done> {
  const read = await readJsonObject(deps.root.path('trash', id, 'metadata.json'))
  const metadata = read.kind === 'ok' ? parseMetadata(read.value) : null
  const snapshots = await trashedSnapshots(deps.root, id)
  const needed = await forksThatNeed(deps, snapshots)
  if (needed.length > 0) return { done: [], left: needed, unrecoverable: [] }
  const done: string[] = []
  const left: string[] = []
  for (const snapshot of snapshots) {
    // A host snapshot's files lie inside the entry and go with it.
    if (snapshot.backend === 'host') continue
    const backend = await deps.backends.get(snapshot.backend)
    const result = await backend.discardSnapshot(snapshot, signal)
    done.push(...result.removed.map((name) => `removed ${name}`))
    left.push(...result.left)
  }
  const volumes = metadata?.icebox?.volumes ?? []
  if (metadata && volumes.length > 0) {
    const backend = await deps.backends.get(metadata.backend)
    const result = await backend.discardVolumes(volumes, deps.root.id, signal)
    done.push(...result.removed.map((name) => `removed volume ${name}`))
    left.push(...result.left)
  }
  if (left.length === 0) {
    await purgeTrashFiles(deps.root, id)
    done.push(`deleted ${id} from the trash`)
  }
  return {
    done,
    left,
    unrecoverable: snapshots.map((snapshot) => `snapshot ${snapshot.slug}@${snapshot.id}`),
  }
}

/** Forks that were never frozen come back from their origin's snapshot only, so that one stays. */
async function forksThatNeed(deps: BottleDeps, snapshots: readonly Snapshot[]): Promise<string[]> {
  const needed: string[] = []
  for (const slug of await readSlugs(deps)) {
    const read = await readMetadata(deps.root, slug)
    const origin = read.kind === 'ok' ? read.metadata.icebox?.forkOf : null
    const snapshot = snapshots.find((known) => known.slug === origin?.slug && known.id === origin.snapshot)
    if (!snapshot || (await readSnapshots(deps.root, slug)).snapshots.length > 0) continue
    needed.push(
      `${snapshot.slug}@${snapshot.id}: the fork ${slug} has nothing else to come back from; freeze it first`,
    )
  }
  return needed
}

/**
 * The trash entry that an id or a slug means, the newest for a slug.
 * @throws BottleError `not-found`
 */
export async function findTrashEntry(deps: BottleDeps, idOrSlug: string): Promise<string> {
  const entries = await readTrash(deps.root)
  const found =
    entries.find((entry) => entry.id === idOrSlug) ?? entries.find((entry) => entry.slug === idOrSlug)
  if (found) return found.id
  const known = entries.map((entry) => entry.id).join(', ') || 'nothing'
  throw bottleError(
    'not-found',
    `The trash has no ${JSON.stringify(idOrSlug.slice(0, 80))}. It holds: ${known}.`,
  )
}

/** Purges every entry of the trash. */
export async function emptyTrash(deps: BottleDeps, signal: AbortSignal): Promise<Done> {
  const parts: Done[] = []
  for (const entry of await readTrash(deps.root)) parts.push(await purgeEntry(deps, entry.id, signal))
  return {
    done: parts.flatMap((part) => part.done),
    left: parts.flatMap((part) => part.left),
    unrecoverable: parts.flatMap((part) => part.unrecoverable),
  }
}
