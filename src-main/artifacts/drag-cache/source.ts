import { createHash } from 'node:crypto'
import type { Fidelity, Snapshot } from '../../../src-preload/contract/index.ts'
import { readMetadata } from '../../state/metadata.ts'
import type { StateRoot } from '../../state/root.ts'
import { readSnapshots } from '../../state/snapshot-files.ts'
import { stableBytes } from '../export/stable-json.ts'

/** What a file is made from. */
export interface DragSource {
  readonly digest: string
  readonly fidelity: Fidelity
}

/**
 * What a file made of this snapshot holds, as one digest: another note or a further declared secret gives another file.
 * Null when there is no such snapshot, or it is not known to be whole.
 */
export async function sourceOf(root: StateRoot, slug: string, id: string): Promise<DragSource | null> {
  const [{ snapshots }, metadata] = await Promise.all([readSnapshots(root, slug), readMetadata(root, slug)])
  const snapshot = snapshots.find((known) => known.id === id)
  if (snapshot?.status !== 'ready') return null
  const secretNames = metadata.kind === 'ok' ? (metadata.metadata.icebox?.secretNames ?? []) : []
  return { digest: digestOf(snapshot, secretNames), fidelity: snapshot.fidelity }
}

/** Pure. */
export function digestOf(snapshot: Snapshot, secretNames: readonly string[]): string {
  // What a proof of restore found, and whether somebody pinned it, does not travel along.
  const { verified: _verified, pinned: _pinned, ...travels } = snapshot
  const text = stableBytes({ travels, secretNames: [...secretNames].sort() })
  return createHash('sha256').update(text).digest('hex')
}
