import type { Difference, Snapshot } from '../../../src-preload/contract/index.ts'
import type { Metadata } from '../../state/metadata.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { ArtifactDeps } from '../artifact-deps.ts'
import type { PreparedRun } from '../prepare-run.ts'
import type { OperationContext } from '../services.ts'
import { carrySnapshot } from './carry-snapshot.ts'
import { requireNoBlock } from './differences.ts'
import { planCrossing } from './plan-crossing.ts'

export interface CarryRequest {
  /** Bottle that gets the new snapshot; the caller holds its lock. */
  readonly slug: string
  readonly source: Snapshot
  /** For the backend it goes to. */
  readonly prepared: PreparedRun
  readonly metadata: Metadata
  readonly agree?: ((differences: readonly Difference[]) => Promise<boolean>) | undefined
}

/**
 * Names every difference first, then carries. @throws BottleError `unsupported` with all that stands against it,
 * `cancelled` when a person did not agree: nothing has happened then
 */
export async function carryAgreed(
  deps: ArtifactDeps,
  { slug, source, prepared, metadata, agree }: CarryRequest,
  context: OperationContext,
): Promise<Snapshot> {
  const crossing = await planCrossing(deps, slug, source, prepared, metadata, context.signal)
  requireNoBlock(slug, crossing.to.name, crossing.differences)
  if (agree) {
    if (!(await agree(crossing.differences))) throw bottleError('cancelled', undefined, { slug })
  } else for (const { text } of crossing.differences) context.notice(text)
  return carrySnapshot(deps, crossing, prepared, metadata, context)
}
