import { readIntent } from '../../state/intent.ts'
import { toFailure } from '../../system/bottle-error.ts'
import type { BottleDeps } from '../deps.ts'
import { recoverOne } from '../recover.ts'

/** Milliseconds before what could not be settled is tried again, since each try is told in the journal. */
const AGAIN_MS = 600_000

/**
 * Settles a restart that a killed process left half-done before anything is decided about its agent: a launch that never
 * began must not pass for an agent that runs. Anything else is settled by the next operation on the bottle.
 */
export function createSettling(
  deps: BottleDeps,
  now: () => number,
  warn: (error: unknown) => void,
): (slug: string, signal: AbortSignal) => Promise<void> {
  const failedAt = new Map<string, number>()
  const isCutOff = async (slug: string): Promise<boolean> => {
    const intent = await readIntent(deps.root, slug)
    return intent !== null && intent !== 'corrupt' && intent.op === 'restart'
  }
  return async (slug, signal) => {
    if (!(await isCutOff(slug))) {
      failedAt.delete(slug)
      return
    }
    const before = failedAt.get(slug)
    if (before !== undefined && now() - before < AGAIN_MS) return
    try {
      const told = await recoverOne(deps, slug, signal)
      if (told !== null && (await isCutOff(slug))) failedAt.set(slug, now())
    } catch (thrown) {
      failedAt.set(slug, now())
      warn(toFailure(thrown, slug))
    }
  }
}
