import type { Snapshot } from '../../src-preload/contract/index.ts'
import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { latestRun, requireMetadata } from '../state/metadata.ts'
import { requireSlug } from '../state/slug.ts'
import { currentSnapshot, pickSnapshot, readCommittedImage, readSnapshots } from '../state/snapshot-files.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { DiffPoint } from './artifact-services.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'

/** A snapshot, or the runtime of a bottle as it is now. */
export type ResolvedPoint =
  | {
      readonly kind: 'snapshot'
      readonly name: string
      readonly backend: Backend
      readonly snapshot: Snapshot
    }
  | {
      readonly kind: 'now'
      readonly name: string
      readonly backend: Backend
      readonly runtime: RuntimeRef
      /** Snapshots that the runtime may stand on, the likeliest first. */
      readonly bases: readonly Snapshot[]
    }

/**
 * What a point names. A bottle without a runtime is as its current snapshot has it.
 * @throws BottleError `not-found`, `snapshot-missing`, `engine-down`
 */
export async function resolvePoint(
  deps: BottleDeps,
  point: DiffPoint,
  notices: string[],
  signal: AbortSignal,
): Promise<ResolvedPoint> {
  const slug = requireSlug(point.slug)
  const metadata = await requireMetadata(deps.root, slug)
  const [{ snapshots }, committed] = await Promise.all([
    readSnapshots(deps.root, slug),
    readCommittedImage(deps.root, slug),
  ])
  if (point.snapshot !== null) {
    return snapshotPoint(deps, pickSnapshot(slug, snapshots, point.snapshot))
  }
  const backend = await deps.backends.get(metadata.backend)
  const runtime = await ownedRuntime(deps, slug, backend, signal)
  const current = currentSnapshot(snapshots, committed)
  if (runtime) {
    const began = latestRun(metadata)?.fromSnapshot
    const origin = metadata.icebox?.forkOf
    const elsewhere = origin ? (await readSnapshots(deps.root, origin.slug)).snapshots : []
    const bases = [
      ...(current ? [current] : []),
      ...[...snapshots, ...elsewhere].filter(({ id }) => id === began),
      ...snapshots.filter(({ runId }) => runId === runtime.runId).reverse(),
    ]
    return { kind: 'now', name: slug, backend, runtime, bases: [...new Set(bases)] }
  }
  if (!current) {
    throw bottleError(
      'not-found',
      `${slug} has neither a runtime nor a snapshot, so there is nothing to compare.`,
      {
        slug,
      },
    )
  }
  notices.push(`${slug} does not run; its current snapshot ${current.id} stands for it.`)
  return snapshotPoint(deps, current)
}

async function snapshotPoint(deps: BottleDeps, snapshot: Snapshot): Promise<ResolvedPoint> {
  const backend = await deps.backends.get(snapshot.backend)
  return { kind: 'snapshot', name: `${snapshot.slug}@${snapshot.id}`, backend, snapshot }
}
