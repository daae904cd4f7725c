import type { Snapshot } from '../../src-preload/contract/index.ts'
import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { type Metadata, requireMetadata } from '../state/metadata.ts'
import { pickSnapshot, readSnapshots } from '../state/snapshot-files.ts'
import { bottleError, isBottleError } from '../system/bottle-error.ts'
import { snapshotView } from './adopt-committed.ts'
import type { BottleDeps } from './deps.ts'
import { freezeLocked, freezeOptions } from './freeze.ts'
import type { OperationContext, ResumeRequest } from './services.ts'

/** What a bottle can be resumed from, decided before anything happens. */
export interface Origin {
  readonly snapshot: Snapshot | null
  /** Said to the user when it is not the bottle's own current snapshot. */
  readonly notice: string | null
}

/** The named snapshot, else the bottle's current one, else the one that it was forked from. @throws BottleError */
export async function chooseOrigin(
  deps: BottleDeps,
  metadata: Metadata,
  request: ResumeRequest,
  slug: string,
  mode: 'adopt' | 'read',
  signal: AbortSignal,
): Promise<Origin> {
  if (request.snapshot) {
    const { snapshots } = await readSnapshots(deps.root, slug)
    return { snapshot: pickSnapshot(slug, snapshots, request.snapshot), notice: null }
  }
  const { current } = await snapshotView(deps, slug, metadata, mode, signal)
  if (current) return { snapshot: current, notice: null }
  const fork = metadata.icebox?.forkOf
  if (fork) {
    const { snapshots } = await readSnapshots(deps.root, fork.slug)
    const snapshot = snapshots.find((known) => known.id === fork.snapshot)
    if (snapshot) {
      return {
        snapshot,
        notice: `${slug} has no snapshot of its own; it starts from ${fork.slug}@${fork.snapshot}.`,
      }
    }
  }
  return { snapshot: null, notice: null }
}

/** Without a snapshot only a rebuild is left: said loudly, and in a headless call only if it was allowed. */
export function requireRebuildOk(
  request: ResumeRequest,
  slug: string,
  context: Pick<OperationContext, 'notice'>,
): void {
  const sentence = `${slug} has no snapshot and no container, so nothing of its work can be brought back.`
  if (request.mode === 'headless' && !request.rebuildOk) {
    throw bottleError('snapshot-missing', `${sentence} --rebuild-ok starts it anew from its definition.`, {
      slug,
    })
  }
  context.notice(`${sentence} It starts anew from its definition.`)
}

/**
 * Where a resume goes: where the call says, else where the snapshot was made, so that nothing changes its backend
 * unasked. What still stands there decides for a bottle whose newer work is frozen first. Pure.
 */
export function targetOf(
  request: Pick<ResumeRequest, 'backend' | 'snapshot'>,
  metadata: Pick<Metadata, 'backend'>,
  snapshot: Snapshot | null,
  runtime: RuntimeRef | null,
): string {
  if (request.backend) return request.backend
  if (runtime && !request.snapshot) return metadata.backend
  return snapshot?.backend ?? metadata.backend
}

/** A missing snapshot is never replaced in silence: by flag, or by a person's answer (case 14). */
export async function mayRebuild(
  thrown: unknown,
  slug: string,
  request: ResumeRequest,
  context: OperationContext,
): Promise<boolean> {
  if (!isBottleError(thrown) || thrown.code !== 'snapshot-missing') return false
  if (request.rebuildOk) return true
  return (
    request.mode === 'interactive' &&
    context.confirm(`${thrown.message} Start ${slug} anew from its definition?`)
  )
}

/** Freezes what changed since the current snapshot; the origin is then the new one, unless another was named. */
export async function freezeNewerWork(
  deps: BottleDeps,
  slug: string,
  request: ResumeRequest,
  backend: Backend,
  chosen: Origin,
  runtime: RuntimeRef | null,
  context: OperationContext,
): Promise<Origin> {
  if (!runtime) return chosen
  const current = await currentOrNull(deps, slug, request, context.signal)
  if (!(await backend.hasChangedSince(runtime, current, context.signal))) return chosen
  const options = freezeOptions('before-resume')
  const { snapshot } = await freezeLocked(deps, backend, slug, runtime, options, context)
  context.notice(`Newer work was frozen first, as ${snapshot.id}.`)
  return request.snapshot ? chosen : { snapshot, notice: null }
}

/** A damaged `committed-image` stops a resume from it, not one of a snapshot that was named. */
async function currentOrNull(
  deps: BottleDeps,
  slug: string,
  request: ResumeRequest,
  signal: AbortSignal,
): Promise<Snapshot | null> {
  try {
    return (await snapshotView(deps, slug, await requireMetadata(deps.root, slug), 'adopt', signal)).current
  } catch (thrown) {
    if (!request.snapshot || !isBottleError(thrown) || thrown.code !== 'corrupt-state') throw thrown
    return null
  }
}
