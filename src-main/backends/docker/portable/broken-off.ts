import { isBottleError } from '../../../system/bottle-error.ts'
import { type Engine, SHORT_MS } from '../engine.ts'

const IS_AWAY: ReadonlySet<string> = new Set(['engine-down', 'engine-missing'])

/**
 * What a transfer that failed is to be told as: a stream that ends early says nothing of why, so the daemon is asked
 * whether it is still there.
 */
export async function whyBrokenOff(engine: Engine, thrown: unknown, signal: AbortSignal): Promise<unknown> {
  if (signal.aborted || !isBottleError(thrown) || thrown.code !== 'engine-failed') return thrown
  try {
    await engine.get('ask for the version', '/version', signal, SHORT_MS)
    return thrown
  } catch (away) {
    return isBottleError(away) && IS_AWAY.has(away.code) ? away : thrown
  }
}
