import { requireSlug } from '../state/slug.ts'
import type { BottleDeps } from './deps.ts'

/**
 * Reconciles what a dead process left of one bottle: the first step of every operation on it.
 * @throws BottleError `invalid-slug`, `corrupt-state`
 */
export async function settleBottle(deps: BottleDeps, slug: string, signal: AbortSignal): Promise<void> {
  const { recoverOne } = await import('./recover.ts')
  const { requireRealFolder } = await import('../state/root.ts')
  await requireRealFolder(deps.root.path('state', requireSlug(slug)))
  await recoverOne(deps, slug, signal)
}
