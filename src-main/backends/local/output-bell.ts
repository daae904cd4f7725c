import { stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { openWatcher } from './wait-until.ts'

/** At most so many milliseconds apart. */
const COALESCE_MS = 250
/** Finds what no watch told: an end without a trace, or a folder that can't be watched. */
const NET_MS = 15_000

const bells = new Set<() => void>()
let net: ReturnType<typeof setInterval> | undefined

/** One slow timer for all runs that somebody listens to. */
function addBell(ring: () => void): () => void {
  bells.add(ring)
  net ??= setInterval(() => {
    for (const each of bells) each()
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
 * nothing. Ends with the run or the signal.
 */
export async function* outputTimes(
  log: string,
  runDir: string,
  hasEnded: () => Promise<boolean>,
  signal: AbortSignal,
): AsyncGenerator<number> {
  let isRung = false
  let wake: () => void = () => undefined
  const ring = (): void => {
    isRung = true
    wake()
  }
  const watchers = [...openWatcher(log, ring), ...openWatcher(runDir, ring)]
  const removeBell = addBell(ring)
  signal.addEventListener('abort', ring)
  try {
    let known = await sizeOf(log)
    while (!signal.aborted) {
      if (!isRung) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (signal.aborted) return
      isRung = false
      const size = await sizeOf(log)
      // Asked after the size: what came before the end is then still told.
      const isOver = await hasEnded()
      if (size !== known) {
        known = size
        yield Date.now()
      }
      if (isOver) return
      await delay(COALESCE_MS, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    removeBell()
    signal.removeEventListener('abort', ring)
    for (const watcher of watchers) watcher.close()
  }
}
