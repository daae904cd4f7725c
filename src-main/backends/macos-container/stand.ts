import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { RuntimeRef } from '../backend.ts'
import { readFacts } from './container-facts.ts'
import type { ContainerEntry } from './decode.ts'
import { readStarts, runFolder } from './run-folder.ts'

/**
 * Names the files of a stopped container: as long as this stays the same, nothing can have changed them, since only a
 * container that runs can. Null while it runs, and where nothing counts its starts. A freeze keeps it in the
 * snapshot's facts as `standPoint`.
 */
export async function standPoint(
  home: string,
  ref: RuntimeRef,
  entry: ContainerEntry,
): Promise<string | null> {
  if (entry.state !== 'stopped' || entry.id !== ref.id || !ref.runId) return null
  if (!readFacts(ref).hasShell) return entry.startedAt ? `${ref.runId} ${entry.startedAt}` : null
  const starts = await readStarts(runFolder(home, ref.slug, ref.runId))
  return starts ? `${ref.runId} ${starts.length} ${starts.slice(-40)}` : null
}

/** Pure: true unless the container stands where it stood when the snapshot was taken from it. */
export function hasMoved(point: string | null, snapshot: Snapshot | null): boolean {
  return point === null || snapshot?.facts.standPoint !== point
}
