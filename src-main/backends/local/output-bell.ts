import { stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { openWatcher } from './wait-until.ts'

/** At most so many milliseconds apart. */
const COALESCE_MS = 250
/** Finds what no watch told: an end without a trace, or a folder that can't be watched. */
const NET_MS = 15_000

const bells = new Set<(isNet: boolean) => void>()
let net: ReturnType<typeof setInterval> | undefined

/** One slow timer for all runs that somebody listens to. */
function addBell(ring: (isNet: boolean) => void): () => void {
  bells.add(ring)
  net ??= setInterval(() => {
    for (const each of bells) each(true)
  }, NET_MS).unref()
  return () => {
    bells.delete(ring)
    if (bells.size > 0) return
    clearInterval(net)
    net = undefined
  }
}

/** Size of a file in bytes; 0 for a missing one. */
export async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}

/**
 * Times of output, in milliseconds since 1970, while a file grows: told by the system, so that a quiet one costs
 * nothing. Ends with the run or the signal. `hasEnded(true)` is asked by the clock, for a run of which nothing was seen.
 */
export async function* outputTimes(
  log: string,
  runDir: string,
  hasEnded: (isNet: boolean) => Promise<boolean>,
  signal: AbortSignal,
): AsyncGenerator<number> {
  let isRung = false
  // A ring by the clock alone is no sign of anything, so it may be answered by a cheaper look.
  let isOnlyNet = true
  let wake: () => void = () => undefined
  const ring = (isNet = false): void => {
    isRung = true
    isOnlyNet &&= isNet
    wake()
  }
  const watchers = [...openWatcher(log, () => ring()), ...openWatcher(runDir, () => ring())]
  const removeBell = addBell(ring)
  const onAbort = (): void => ring()
  signal.addEventListener('abort', onAbort)
  try {
    let known = await sizeOf(log)
    while (!signal.aborted) {
      if (!isRung) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (signal.aborted) return
      const isNet = isOnlyNet
      isRung = false
      isOnlyNet = true
      const size = await sizeOf(log)
      // Asked after the size: what came before the end is then still told.
      const isOver = await hasEnded(isNet && size === known)
      if (size !== known) {
        known = size
        yield Date.now()
      }
      if (isOver) return
      await delay(COALESCE_MS, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    removeBell()
    signal.removeEventListener('abort', onAbort)
    for (const watcher of watchers) watcher.close()
  }
}
