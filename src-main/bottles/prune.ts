import type { PruneResult } from '../../src-preload/contract/index.ts'
import { accountSizes, bytesFreedBy } from '../snapshots/account-sizes.ts'
import { sweepListings } from '../snapshots/layers/listing-cache.ts'
import type { Retention } from '../snapshots/plan-retention.ts'
import { requireSlug } from '../state/slug.ts'
import { bottleError, toFailure } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { PruneRequest } from './artifact-services.ts'
import { readDependents } from './purge.ts'
import { readSlugs } from './read-slugs.ts'
import type { OperationContext } from './services.ts'
import { dropSnapshot, planThinning, settingsPolicy } from './thin.ts'
import { weighSnapshots } from './weigh-snapshots.ts'

type Selected = PruneResult['snapshots'][number]

/**
 * Thins snapshots by the policy and deletes portable copies that nothing needs. A dry run selects exactly the same and
 * changes nothing. Snapshots go to the trash, so their space is free only later; what could not be deleted is told in
 * `notices` and stops nothing else.
 * @throws BottleError `not-found` for a slug that is no bottle
 */
export async function prune(
  deps: ArtifactDeps,
  request: PruneRequest,
  context: OperationContext,
): Promise<PruneResult> {
  const { signal } = context
  const notices: string[] = []
  const policy = request.policy ?? settingsPolicy((await deps.settings()).all())
  const slugs = await chosenSlugs(deps, request)
  const [selected, { weighed, notices: unasked }] = await Promise.all([
    select(deps, slugs, policy, notices),
    weighSnapshots(deps, signal),
  ])
  const own = new Map(
    accountSizes(weighed).snapshots.map((size) => [`${size.slug}@${size.id}`, size.uniqueBytes]),
  )
  const gone: Selected[] = []
  for (const each of selected) {
    signal.throwIfAborted()
    const problem = request.dryRun ? null : await dropSnapshot(deps, each.slug, each.id, context)
    if (problem) notices.push(problem)
    else gone.push({ ...each, bytes: own.get(`${each.slug}@${each.id}`) ?? each.bytes })
    context.progress({ phase: 'thinning', current: gone.length, total: selected.length })
  }
  const store = await deps.store()
  const collected = await store.collect({ dryRun: request.dryRun }, signal)
  if (!request.dryRun) await sweepListings(deps.root, new Date())
  const names = new Set(gone.map(({ slug, id }) => `${slug}@${id}`))
  return {
    dryRun: request.dryRun,
    snapshots: gone,
    storeBytes: collected.bytes,
    freedBytes: collected.bytes,
    trashedBytes: bytesFreedBy(weighed, (slug, id) => names.has(`${slug}@${id}`)),
    notices: [...notices, ...unasked],
  }
}

async function chosenSlugs(deps: ArtifactDeps, request: PruneRequest): Promise<readonly string[]> {
  const known = await readSlugs(deps)
  if (!request.slugs) return [...known].sort()
  for (const slug of request.slugs) {
    if (known.includes(requireSlug(slug))) continue
    throw bottleError('not-found', `There is no bottle ${slug}. Run icebox list.`, { slug })
  }
  return [...new Set(request.slugs)]
}

async function select(
  deps: ArtifactDeps,
  slugs: readonly string[],
  policy: Retention,
  notices: string[],
): Promise<readonly Selected[]> {
  const selected: Selected[] = []
  const now = new Date()
  const dependents = await readDependents(deps)
  for (const slug of slugs) {
    try {
      const { plan, snapshots } = await planThinning(deps, slug, policy, now, dependents)
      for (const { id, reason } of plan.drop) {
        // Replaced by what the engine says, where it can be asked.
        const bytes = snapshots.find((snapshot) => snapshot.id === id)?.ownBytes ?? 0
        selected.push({ slug, id, reason, bytes })
      }
    } catch (thrown) {
      notices.push(`${slug} was left alone: ${toFailure(thrown).message}`)
    }
  }
  return selected
}
