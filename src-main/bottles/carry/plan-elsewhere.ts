import type { Difference, Snapshot, StartPlan } from '../../../src-preload/contract/index.ts'
import type { Metadata } from '../../state/metadata.ts'
import type { BottleDeps } from '../deps.ts'
import { describePlan, draftTarget, type PreparedRun, toLaunchPlan } from '../prepare-run.ts'
import { findDifferences } from './differences.ts'
import { planCrossing, wishesOf } from './plan-crossing.ts'
import { refusedBy } from './refused-by.ts'
import { thisMachine } from './this-machine.ts'

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

/** What nobody can tell before the freeze that comes first. */
const UNFROZEN: Difference = {
  about: 'files',
  text: 'Its newest work is in no snapshot yet. It is frozen first, and what comes along of its files is told then.',
  blocks: false,
}

/** As `planElsewhere` where a freeze comes first: all that can be told before it. */
export async function planUnfrozen(
  deps: BottleDeps,
  slug: string,
  prepared: PreparedRun,
  metadata: Metadata,
  notices: readonly string[],
  signal: AbortSignal,
): Promise<StartPlan> {
  const home = await deps.backends.get(metadata.backend)
  const [from, to] = await Promise.all([home.probe(signal), prepared.backend.probe(signal)])
  const differences = findDifferences({
    source: { slug, id: '', backend: home.name, fidelity: 'files', volumes: [], facts: {} },
    from,
    to,
    platform: null,
    here: thisMachine(),
    wishes: wishesOf(prepared, metadata),
    places: null,
    over: null,
    isOriginLost: false,
    isReady: true,
  })
  const refused = await refusedBy(deps, slug, prepared, to, signal)
  const plan = toLaunchPlan(deps, prepared, draftTarget(slug, null, null))
  return describePlan(prepared, plan, notices, [...(refused ? [refused] : []), ...differences, UNFROZEN])
}
