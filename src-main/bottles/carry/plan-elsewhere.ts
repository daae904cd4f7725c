import type { Snapshot, StartPlan } from '../../../src-preload/contract/index.ts'
import type { Metadata } from '../../state/metadata.ts'
import type { BottleDeps } from '../deps.ts'
import { describePlan, draftTarget, type PreparedRun, toLaunchPlan } from '../prepare-run.ts'
import { planCrossing } from './plan-crossing.ts'

/** What going on on another backend would do, with every difference; writes nothing. */
export async function planElsewhere(
  deps: BottleDeps,
  slug: string,
  source: Snapshot,
  prepared: PreparedRun,
  metadata: Metadata,
  notices: readonly string[],
  signal: AbortSignal,
): Promise<StartPlan> {
  const { differences, ready } = await planCrossing(deps, slug, source, prepared, metadata, signal)
  const image = { kind: 'snapshot', snapshot: ready ?? source } as const
  const plan = toLaunchPlan(deps, prepared, draftTarget(slug, image, null))
  return describePlan(prepared, plan, notices, differences)
}
