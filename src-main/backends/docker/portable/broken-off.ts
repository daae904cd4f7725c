import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { bottleError, isBottleError } from '../../../system/bottle-error.ts'
import { type Engine, SHORT_MS } from '../engine.ts'

const IS_AWAY: ReadonlySet<string> = new Set(['engine-down', 'engine-missing'])
/** How much later than the transfer the witness may hear of the daemon's end. */
const GRACE_MS = 1000
/** Events that never come: the connection itself is what is wanted. */
const QUIET = `/events?filters=${encodeURIComponent(JSON.stringify({ event: ['icebox-witness'] }))}`

/**
 * Runs a transfer that ends early in the same way whether the daemon fails in it or goes away. A second, quiet
 * connection tells which it was, even when a new daemon answers by then. @throws what the transfer throws, or
 * BottleError `engine-down`
 */
export async function withWitness<T>(
  engine: Engine,
  what: string,
  signal: AbortSignal,
  transfer: () => Promise<T>,
): Promise<T> {
  const stop = new AbortController()
  const lost = hearOfEnd(engine, AbortSignal.any([signal, stop.signal]))
  try {
    return await transfer()
  } catch (thrown) {
    if (signal.aborted || !isBottleError(thrown) || thrown.code !== 'engine-failed') throw thrown
    const isLost = await Promise.race([lost, sleep(GRACE_MS, false)])
    if (isLost) {
      throw bottleError('engine-down', `Docker ended before it could ${what}.`, {
        detail: thrown.detail,
        cause: thrown,
      })
    }
    throw await whyBrokenOff(engine, thrown, signal)
  } finally {
    stop.abort()
  }
}

/** Resolves to true when the daemon ends an open connection; never when there was none to begin with. */
async function hearOfEnd(engine: Engine, signal: AbortSignal): Promise<boolean> {
  const stream: IncomingMessage | null = await engine
    .stream('watch the daemon', QUIET, signal)
    .catch(() => null)
  return new Promise((resolve) => {
    stream?.on('error', () => {})
    stream?.once('close', () => {
      if (!signal.aborted) resolve(true)
    })
    stream?.resume()
  })
}

/** A daemon that does not answer any more is the better reason. */
async function whyBrokenOff(engine: Engine, thrown: unknown, signal: AbortSignal): Promise<unknown> {
  try {
    await engine.get('ask for the version', '/version', signal, SHORT_MS)
    return thrown
  } catch (away) {
    return isBottleError(away) && IS_AWAY.has(away.code) ? away : thrown
  }
}
