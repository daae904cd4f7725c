import type { Snapshot } from '../../src-preload/contract/index.ts'
import { planRetention, type Retention, type RetentionPlan } from '../snapshots/plan-retention.ts'
import { readGone } from '../state/gone-snapshots.ts'
import { latestRun, readMetadata, requireWritable } from '../state/metadata.ts'
import { currentSnapshot, readCommittedImage, readSnapshots } from '../state/snapshot-files.ts'
import { toFailure } from '../system/bottle-error.ts'
import { originsOf } from './carry/carried-from.ts'
import { deleteSnapshot } from './delete-snapshot.ts'
import type { BottleDeps } from './deps.ts'
import { type Dependent, readDependents } from './purge.ts'
import type { OperationContext } from './services.ts'

/** The policy that the settings hold. Pure. */
export function settingsPolicy(settings: Readonly<Record<string, unknown>>): Retention {
  return {
    last: Number(settings.retentionLast),
    hourly: Number(settings.retentionHourly),
    daily: Number(settings.retentionDaily),
    weekly: Number(settings.retentionWeekly),
  }
}

/**
 * Which of a bottle's snapshots a policy takes; changes nothing.
 * @throws BottleError `corrupt-state`, `unsupported` for a bottle of which too little can be told
 */
export async function planThinning(
  deps: BottleDeps,
  slug: string,
  policy: Retention,
  now: Date,
  dependents: readonly Dependent[],
): Promise<{ readonly plan: RetentionPlan; readonly snapshots: readonly Snapshot[] }> {
  const [read, { snapshots }, committed] = await Promise.all([
    readMetadata(deps.root, slug),
    readSnapshots(deps.root, slug),
    readCommittedImage(deps.root, slug),
  ])
  const protect = new Map<string, string>()
  const keep = (id: string | null | undefined, reason: string) => {
    if (id) protect.set(id, reason)
  }
  if (read.kind === 'ok') {
    requireWritable(slug, read.metadata)
    keep(latestRun(read.metadata)?.fromSnapshot, 'the last run began with it')
  }
  keep(currentSnapshot(snapshots, committed)?.id, 'the bottle comes back from it')
  for (const { snapshot } of dependents.filter((each) => each.slug === slug))
    keep(snapshot, 'a fork needs it')
  const origins = originsOf({ snapshots, gone: await readGone(deps.root, slug) })
  for (const [id, reason] of origins) if (!protect.has(id)) keep(id, reason)
  // Without readable metadata, or with a damaged `committed-image`, it can't be told what the bottle needs.
  const isClear = read.kind === 'ok' && committed.kind !== 'corrupt'
  if (!isClear) for (const { id } of snapshots) protect.set(id, "the bottle's records are damaged")
  return { plan: planRetention(snapshots, policy, now, protect), snapshots }
}

/** What became of one planned deletion; null for done, else why it was not. */
export async function dropSnapshot(
  deps: BottleDeps,
  slug: string,
  id: string,
  context: OperationContext,
): Promise<string | null> {
  try {
    // A question means that it was pinned or became current meanwhile, so the answer is no.
    await deleteSnapshot(deps, { slug, snapshot: id }, { ...context, confirm: async () => false })
    return null
  } catch (thrown) {
    if (context.signal.aborted) throw thrown
    return `${slug}@${id} was not deleted: ${toFailure(thrown).message}`
  }
}

/** Thins a bottle's snapshots after a freeze, as the setting `autoThin` asks. The freeze never fails by it. */
export async function thinAfterFreeze(
  deps: BottleDeps,
  slug: string,
  settings: Readonly<Record<string, unknown>>,
  context: OperationContext,
): Promise<void> {
  try {
    const { plan } = await planThinning(
      deps,
      slug,
      settingsPolicy(settings),
      new Date(),
      await readDependents(deps),
    )
    let dropped = 0
    for (const { id } of plan.drop) {
      const problem = await dropSnapshot(deps, slug, id, context)
      if (problem) context.notice(problem)
      else dropped += 1
    }
    if (dropped > 0)
      context.notice(`${dropped} older snapshots of ${slug} went to the trash (setting autoThin).`)
  } catch (thrown) {
    context.notice(`Older snapshots of ${slug} were not thinned: ${toFailure(thrown).message}`)
  }
}
