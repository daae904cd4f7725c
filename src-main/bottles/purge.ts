import type { Done, Snapshot } from '../../src-preload/contract/index.ts'
import { readJsonObject } from '../state/durable-file.ts'
import { withLock } from '../state/lock.ts'
import { type Metadata, parseMetadata, readMetadata } from '../state/metadata.ts'
import { readSnapshots } from '../state/snapshot-files.ts'
import { readSnapshotEntry, removeStrayParts } from '../state/snapshot-trash.ts'
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
  const single = await readSnapshotEntry(deps.root, id)
  if (single && !single.isOnlyHere) {
    // Its deletion was cut off: the snapshot is still its bottle's, and this is only a copy of the record.
    await purgeTrashFiles(deps.root, id)
    return { done: [`deleted ${id} from the trash`], left: [], unrecoverable: [] }
  }
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
  // A bottle that went on elsewhere has volumes where it was before.
  const homes = metadata && volumes.length > 0 ? homesOf(metadata, snapshots) : []
  for (const name of homes) {
    const backend = await deps.backends.get(name)
    const result = await backend.discardVolumes(volumes, deps.root.id, signal)
    done.push(...result.removed.map((name) => `removed volume ${name}`))
    left.push(...result.left)
  }
  if (left.length === 0) {
    if (single) await removeStrayParts(deps.root, single)
    await forgetPortable(deps, snapshots)
    await purgeTrashFiles(deps.root, id)
    done.push(`deleted ${id} from the trash`)
  }
  return {
    done,
    left,
    unrecoverable: snapshots.map((snapshot) => `snapshot ${snapshot.slug}@${snapshot.id}`),
  }
}

/** Every backend that a bottle was ever on, as far as records tell. Pure. */
function homesOf(metadata: Metadata, snapshots: readonly Snapshot[]): readonly string[] {
  const runs = metadata.icebox?.runs ?? []
  const names = [
    metadata.backend,
    ...snapshots.map(({ backend }) => backend),
    ...runs.flatMap(({ ref }) => (ref ? [ref.backend] : [])),
  ]
  return [...new Set(names)]
}

/** Portable copies go with the next collection of the store, as nothing names them any more. */
async function forgetPortable(deps: BottleDeps, snapshots: readonly Snapshot[]): Promise<void> {
  const { openArtifactStore } = await import('../artifacts/store/open-store.ts')
  const store = openArtifactStore(deps.root)
  for (const { slug, id } of snapshots) await store.forget(slug, id)
}

/** A fork that was never frozen: it comes back from its origin's snapshot only. */
export interface Dependent {
  readonly fork: string
  readonly slug: string
  readonly snapshot: string
}

/** Every fork that has nothing but its origin's snapshot to come back from. */
export async function readDependents(deps: BottleDeps): Promise<readonly Dependent[]> {
  const found = await Promise.all(
    (await readSlugs(deps)).map(async (fork): Promise<Dependent | null> => {
      const read = await readMetadata(deps.root, fork)
      const origin = read.kind === 'ok' ? read.metadata.icebox?.forkOf : null
      if (!origin || (await readSnapshots(deps.root, fork)).snapshots.length > 0) return null
      return { fork, slug: origin.slug, snapshot: origin.snapshot }
    }),
  )
  return found.filter((dependent) => dependent !== null)
}

/** A sentence for each fork that needs one of these snapshots. */
export async function forksThatNeed(deps: BottleDeps, snapshots: readonly Snapshot[]): Promise<string[]> {
  return (await readDependents(deps))
    .filter(({ slug, snapshot }) => snapshots.some((known) => known.slug === slug && known.id === snapshot))
    .map(
      ({ fork, slug, snapshot }) =>
        `${slug}@${snapshot}: the fork ${fork} has nothing else to come back from; freeze it first`,
    )
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
