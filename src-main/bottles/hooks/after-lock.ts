import { toFailure } from '../../system/bottle-error.ts'
import type { OperationContext } from '../services.ts'

/**
 * Runs an operation that holds a bottle's lock, and after it, however it ended, what it left to be done without the
 * lock. What fails there is told: the operation is done.
 */
export async function thenUnlocked<T>(
  context: OperationContext,
  operate: (context: OperationContext) => Promise<T>,
): Promise<T> {
  if (context.later) return operate(context)
  const waiting: (() => Promise<void>)[] = []
  try {
    return await operate({ ...context, later: (run) => void waiting.push(run) })
  } finally {
    for (const run of waiting) {
      await run().catch((thrown: unknown) => context.notice(toFailure(thrown).message))
    }
  }
}

/** Does something once the bottle's lock is free; at once when nobody said that it is held. */
export async function later(context: OperationContext, run: () => Promise<void>): Promise<void> {
  if (context.later) context.later(run)
  else await run()
}
