import { lstat, mkdir, rename } from 'node:fs/promises'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import { bottleError } from '../system/bottle-error.ts'
import { faultPoint } from '../system/fault.ts'
import { notifyChange } from './changes.ts'
import { readJsonObject, syncFolder, writeDurable } from './durable-file.ts'
import { removeTree } from './remove-tree.ts'
import type { StateRoot } from './root.ts'
import { readSnapshots, removeSnapshotRecord, writeSnapshot } from './snapshot-files.ts'
import { freeTrashId, purgeTrashFiles, trashedSnapshots } from './trash.ts'

/** What an entry of one snapshot says of itself. */
export interface SnapshotEntry {
  readonly slug: string
  readonly snapshot: Snapshot
  /** True when the bottle would have been resumed from it. */
  readonly wasCurrent: boolean
  /** False when its deletion was cut off: then it still belongs to its bottle, and the entry is only a copy. */
  readonly isOnlyHere: boolean
}

/**
 * Moves one snapshot to the trash as an entry of its own. At any moment the record is in one of both places or in
 * both, and it counts as the bottle's as long as it is there. The caller holds the bottle's lock.
 */
export async function moveSnapshotToTrash(
  root: StateRoot,
  snapshot: Snapshot,
  wasCurrent: boolean,
  now: Date,
): Promise<string> {
  const { slug } = snapshot
  const id = await freeTrashId(root, slug, now)
  // No entry has such a name, so half an entry is never seen.
  const fresh = root.path('trash', `.${id}.new`)
  await removeTree(fresh)
  await mkdir(root.path('trash', `.${id}.new`, 'snapshots'), { recursive: true, mode: 0o700 })
  const facts = { version: 1, slug, destroyedAt: now.toISOString(), snapshot: snapshot.id, wasCurrent }
  await writeDurable(root.path('trash', `.${id}.new`, 'destroyed.json'), `${JSON.stringify(facts)}\n`)
  await writeDurable(
    root.path('trash', `.${id}.new`, 'snapshots', `${snapshot.id}.json`),
    `${JSON.stringify(snapshot, null, 2)}\n`,
  )
  await rename(fresh, root.path('trash', id))
  await syncFolder(root.path('trash'))
  faultPoint('delete-snapshot:after-entry')
  await removeSnapshotRecord(root, slug, snapshot.id)
  faultPoint('delete-snapshot:after-record')
  await moveParts(stateParts(root, slug, snapshot.id), trashParts(root, id, snapshot.id))
  notifyChange(root, slug)
  return id
}

/** Null when the entry is a whole bottle. @throws BottleError `corrupt-state` when its record can't be read */
export async function readSnapshotEntry(root: StateRoot, id: string): Promise<SnapshotEntry | null> {
  const read = await readJsonObject(root.path('trash', id, 'destroyed.json'))
  if (read.kind !== 'ok' || typeof read.value.snapshot !== 'string') return null
  const wanted = read.value.snapshot
  const snapshot = (await trashedSnapshots(root, id)).find((each) => each.id === wanted)
  if (!snapshot) {
    throw bottleError(
      'corrupt-state',
      `The record of the snapshot in ${root.path('trash', id)} can't be read.`,
    )
  }
  const { snapshots } = await readSnapshots(root, snapshot.slug)
  return {
    slug: snapshot.slug,
    snapshot,
    wasCurrent: read.value.wasCurrent === true,
    isOnlyHere: !snapshots.some((each) => each.id === wanted),
  }
}

/**
 * Puts a snapshot back into its bottle. The caller holds the bottle's and the trash's lock.
 * @throws BottleError `not-found` when the bottle is not there
 */
export async function moveSnapshotFromTrash(
  root: StateRoot,
  id: string,
  entry: SnapshotEntry,
): Promise<void> {
  const { slug, snapshot } = entry
  if (!(await isThere(root.path('state', slug)))) {
    throw bottleError(
      'not-found',
      `The bottle ${slug} is not there, so its snapshot ${snapshot.id} has no place to go. It is still in the trash. If ${slug} is in the trash too, bring it back first.`,
      { slug },
    )
  }
  if (entry.isOnlyHere) {
    await mkdir(root.path('state', slug, 'snapshots'), { recursive: true, mode: 0o700 })
    await moveParts(trashParts(root, id, snapshot.id), stateParts(root, slug, snapshot.id))
    await writeSnapshot(root, snapshot)
    faultPoint('undo-snapshot:after-record')
  }
  await purgeTrashFiles(root, id)
}

/** Deletes what a deletion that was cut off left beside the bottle's other snapshots. */
export async function removeStrayParts(root: StateRoot, entry: SnapshotEntry): Promise<void> {
  if (entry.isOnlyHere) await removeTree(stateParts(root, entry.slug, entry.snapshot.id))
}

function stateParts(root: StateRoot, slug: string, snapshotId: string): string {
  return root.path('state', slug, 'snapshots', `${snapshotId}.d`)
}

function trashParts(root: StateRoot, id: string, snapshotId: string): string {
  return root.path('trash', id, 'snapshots', `${snapshotId}.d`)
}

/** Most Docker snapshots have no folder, and a move that was cut off is done already. */
async function moveParts(from: string, to: string): Promise<void> {
  if (!(await isThere(from))) return
  await rename(from, to)
  await syncFolder(`${to}/..`)
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
}
