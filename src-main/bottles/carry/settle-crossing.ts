import type { RuntimeRef } from '../../backends/backend.ts'
import { readSnapshots, writeCommittedImage } from '../../state/snapshot-files.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { BottleDeps } from '../deps.ts'

/** From now on the bottle comes back from the snapshot that its new run began with. */
export async function makeCurrent(deps: BottleDeps, slug: string, id: string): Promise<void> {
  const { snapshots } = await readSnapshots(deps.root, slug)
  const snapshot = snapshots.find((known) => known.id === id)
  if (snapshot) await writeCommittedImage(deps.root, slug, snapshot.reference)
}

/**
 * Removes the runtime that a run on another backend replaced. Comes after that run is recorded; the files it had are
 * in a snapshot, or stay. Returns what was left behind, for a person.
 * @throws BottleError `engine-failed` when it can't be removed: the caller keeps its intent
 */
export async function leaveRuntime(
  deps: BottleDeps,
  previous: RuntimeRef,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const backend = await deps.backends.get(previous.backend)
  const { left } = await backend.remove(previous, signal)
  if (left.length > 0) {
    throw bottleError('engine-failed', `These could not be removed yet: ${left.join(', ')}.`, {
      slug: previous.slug,
    })
  }
  if (!backend.leave) return []
  const { snapshots } = await readSnapshots(deps.root, previous.slug)
  const kept = await backend.leave(previous.slug, snapshots, signal)
  return kept.left.map((path) => `${path} holds files that no snapshot has, so it stays.`)
}
