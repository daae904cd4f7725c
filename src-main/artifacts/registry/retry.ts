import { setTimeout as sleep } from 'node:timers/promises'
import type { BottleError } from '../../system/bottle-error.ts'
import { bottleError } from '../../system/bottle-error.ts'

export interface RetryPolicy {
  /** Tries in a row without any progress, the first included. */
  readonly attempts: number
  /** Milliseconds before the second try; doubles, up to 32 times that. */
  readonly baseMs: number
}

export const RETRIES: RetryPolicy = { attempts: 6, baseMs: 250 }

/** A failure that may pass by itself: a broken connection, an overloaded registry. */
export class Transient extends Error {
  readonly failed: BottleError
  /** What the registry asks to wait, in milliseconds; null when it does not say. */
  readonly afterMs: number | null

  constructor(failed: BottleError, afterMs: number | null = null) {
    super(failed.message)
    this.failed = failed
    this.afterMs = afterMs
  }
}

/**
 * Tries again after transient failures, waiting longer each time. A try that got further than all before it
 * (`progress` grew) starts the count anew, so that a long transfer survives any number of cuts.
 * @throws the last failure as a BottleError; `cancelled`; anything else as it is
 */
export async function withRetries<T>(
  policy: RetryPolicy,
  signal: AbortSignal,
  attempt: () => Promise<T>,
  progress: () => number = () => 0,
): Promise<T> {
  let failures = 0
  let best = progress()
  for (;;) {
    try {
      return await attempt()
    } catch (thrown) {
      if (signal.aborted) throw bottleError('cancelled')
      if (!(thrown instanceof Transient)) throw thrown
      const reached = progress()
      failures = reached > best ? 1 : failures + 1
      best = Math.max(best, reached)
      if (failures >= policy.attempts) throw thrown.failed
      await pause(waitFor(policy, failures, thrown.afterMs), signal)
    }
  }
}

function waitFor(policy: RetryPolicy, failures: number, afterMs: number | null): number {
  const doubled = policy.baseMs * 2 ** Math.min(failures - 1, 5)
  // Jitter: several transfers that broke together must not come back together.
  const own = doubled * (0.75 + Math.random() / 2)
  return Math.max(own, Math.min(afterMs ?? 0, 60_000))
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch {
    throw bottleError('cancelled')
  }
}
