import { readIntent } from '../../state/intent.ts'
import type { BottleDeps } from '../deps.ts'
import { recoverOne } from '../recover.ts'

/** Milliseconds before what could not be settled is tried again, since each try is told in the journal. */
const AGAIN_MS = 60_000

/**
 * Settles what a killed process left half-done of a bottle before anything is decided about its agent: a launch that
 * never began must not pass for an agent that runs.
 */
export function createSettling(
  deps: BottleDeps,
  now: () => number,
): (slug: string, signal: AbortSignal) => Promise<void> {
  const failedAt = new Map<string, number>()
  return async (slug, signal) => {
    if ((await readIntent(deps.root, slug)) === null) {
      failedAt.delete(slug)
      return
    }
    const before = failedAt.get(slug)
    if (before !== undefined && now() - before < AGAIN_MS) return
    const told = await recoverOne(deps, slug, signal)
    if (told !== null && (await readIntent(deps.root, slug)) !== null) failedAt.set(slug, now())
  }
}
