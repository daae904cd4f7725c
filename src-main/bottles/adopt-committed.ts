import type { Snapshot } from '../../src-preload/contract/index.ts'
import type { Metadata } from '../state/metadata.ts'
import {
  currentSnapshot,
  newSnapshotId,
  readCommittedImage,
  readSnapshots,
  writeCommittedImage,
  writeSnapshot,
} from '../state/snapshot-files.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'

export interface SnapshotView {
  readonly snapshots: readonly Snapshot[]
  /** What `committed-image` names. */
  readonly current: Snapshot | null
}

/**
 * The snapshots of a bottle and the current one. A `committed-image` that no record names was written by
 * bot-bottle; with `adopt`, under the bottle's lock, it is given a tag and a record of its own, and the old tag is kept.
 * @throws BottleError `corrupt-state` when `committed-image` can't be a reference (case 16)
 */
export async function snapshotView(
  deps: BottleDeps,
  slug: string,
  metadata: Metadata | null,
  mode: 'adopt' | 'read',
  signal: AbortSignal,
): Promise<SnapshotView> {
  const [{ snapshots }, committed] = await Promise.all([
    readSnapshots(deps.root, slug),
    readCommittedImage(deps.root, slug),
  ])
  if (committed.kind === 'corrupt') {
    throw bottleError(
      'corrupt-state',
      `${committed.file} names no image or path. Nothing was changed. Name a snapshot instead: ${slug}@ID.`,
      { slug },
    )
  }
  const current = currentSnapshot(snapshots, committed)
  if (current || committed.kind === 'absent') return { snapshots, current }
  const draft = adoptedRecord(slug, committed.reference, metadata)
  if (mode === 'read') return { snapshots: [...snapshots, draft], current: draft }
  const backend = await deps.backends.get(metadata?.backend ?? '')
  const tagged = await backend.tagSnapshot(draft, signal)
  // An image that is gone keeps its name, so that the resume can say what is missing.
  const adopted = tagged ? { ...draft, ...tagged } : draft
  await writeSnapshot(deps.root, adopted)
  if (tagged) await writeCommittedImage(deps.root, slug, tagged.reference)
  return { snapshots: [...snapshots, adopted], current: adopted }
}

/** The record of a snapshot that another program made. Pure but for the id. */
function adoptedRecord(slug: string, reference: string, metadata: Metadata | null): Snapshot {
  return {
    version: 1,
    id: newSnapshotId(new Date()),
    slug,
    parent: null,
    backend: metadata?.backend ?? 'docker',
    reference,
    // Unknown until the engine is asked; an empty digest is not checked.
    digest: '',
    createdAt: new Date().toISOString(),
    fidelity: 'files',
    leftOut: [],
    bytes: 0,
    ownBytes: null,
    reason: 'adopted',
    note: 'made by bot-bottle',
    label: '',
    pinned: false,
    status: 'ready',
    runId: null,
    agent: metadata?.agentName ?? '',
    provider: '',
    volumes: [],
    verified: null,
    facts: {},
  }
}
