import type { ReportProgress } from '../../backends/backend.ts'
import type { ReportOffset } from './blobs.ts'

/** Transfers at the same time: more only helps registries that are far away, and hurts the rest. */
const PARALLEL = 3

/** Runs a transfer for each item, a few at a time; the first failure ends the others and is thrown. */
export async function transferAll<T>(
  items: readonly T[],
  signal: AbortSignal,
  transfer: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const waiting = items.values()
  let failure: { readonly thrown: unknown } | undefined
  const lane = async () => {
    for (const item of waiting) {
      if (failure) return
      try {
        await transfer(item, either)
      } catch (thrown) {
        // Those that end because of it fail too, and are not the reason.
        failure ??= { thrown }
        stop.abort()
        return
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, lane))
  if (failure) throw failure.thrown
}

export interface Tally {
  /** Begins counting one transfer. */
  start(): ReportOffset
}

/** Adds up several transfers; tells at most every 100 ms, and always the end. */
export function createTally(total: number, phase: string, progress: ReportProgress): Tally {
  let current = 0
  let toldAt = 0
  const tell = () => {
    const now = performance.now()
    if (current < total && now - toldAt < 100) return
    toldAt = now
    progress({ phase, current, total })
  }
  progress({ phase, current, total })
  return {
    start() {
      let counted = 0
      return (offset) => {
        current += offset - counted
        counted = offset
        tell()
      }
    },
  }
}
