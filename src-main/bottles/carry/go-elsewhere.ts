import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { RuntimeRef } from '../../backends/backend.ts'
import { latestRun, type Metadata } from '../../state/metadata.ts'
import { currentSnapshot, readCommittedImage, readSnapshots } from '../../state/snapshot-files.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { ArtifactDeps } from '../artifact-deps.ts'
import { launchResumed, type Resumed } from '../launch-resumed.ts'
import type { PreparedRun } from '../prepare-run.ts'
import type { Origin } from '../resume-origin.ts'
import type { OperationContext, ResumeRequest } from '../services.ts'
import { carryAgreed } from './carry-agreed.ts'

export interface Elsewhere {
  readonly deps: ArtifactDeps
  readonly slug: string
  readonly metadata: Metadata
  readonly prepared: PreparedRun
  readonly request: Pick<ResumeRequest, 'snapshot' | 'agree'>
  /** On the bottle's own backend; its newer work is frozen. */
  readonly runtime: RuntimeRef | null
  readonly context: OperationContext
}

/**
 * Resumes on another backend than the bottle's or the snapshot's: differences first, then the snapshot is carried, then
 * launched there and recorded, and only then the former runtime goes. A crash at any point leaves the bottle with one
 * run, and with everything that was frozen. The caller holds the lock.
 */
export async function goElsewhere(
  { deps, slug, metadata, prepared, request, runtime, context }: Elsewhere,
  origin: Origin,
): Promise<Resumed> {
  const { backend } = prepared
  const isLeaving = backend.name !== metadata.backend
  const { snapshots } = await readSnapshots(deps.root, slug)
  const current = currentSnapshot(snapshots, await readCommittedImage(deps.root, slug))
  const source = origin.snapshot
  const snapshot = source && (await there(deps, slug, source, prepared, metadata, request, context))
  if (isLeaving) await requireNothingLost(deps, slug, prepared, context.signal)
  const becomesCurrent = source !== null && (!request.snapshot || source.id === current?.id)
  const leaves = runtime ?? formerRef(metadata)
  return launchResumed(deps, slug, prepared, { ...origin, snapshot }, runtime, context, {
    leaves: isLeaving ? leaves : undefined,
    becomesCurrent: becomesCurrent && snapshot?.slug === slug,
  })
}

async function there(
  deps: ArtifactDeps,
  slug: string,
  source: Snapshot,
  prepared: PreparedRun,
  metadata: Metadata,
  request: Elsewhere['request'],
  context: OperationContext,
): Promise<Snapshot> {
  if (source.backend === prepared.backend.name) return source
  return carryAgreed(deps, { slug, source, prepared, metadata, agree: request.agree }, context)
}

/** A run whose container somebody removed by hand may still have sidecars, a network and secrets. */
function formerRef(metadata: Metadata): RuntimeRef | null {
  const ref = latestRun(metadata)?.ref
  return ref?.backend === metadata.backend ? ref : null
}

/** Files from an earlier stay there that no snapshot holds would be replaced by the start. @throws BottleError */
async function requireNothingLost(
  deps: ArtifactDeps,
  slug: string,
  { backend }: PreparedRun,
  signal: AbortSignal,
): Promise<void> {
  const { snapshots } = await readSnapshots(deps.root, slug)
  const { left = [] } = (await backend.leave?.(slug, snapshots, signal)) ?? {}
  if (left.length === 0) return
  throw bottleError(
    'exists',
    `${left.join(', ')} holds files of ${slug} that no snapshot has. Move them away, so that nothing is lost, and try again.`,
    { slug, detail: deps.root.path('state', slug) },
  )
}
