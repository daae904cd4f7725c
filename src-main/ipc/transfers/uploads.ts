import type { IncomingMessage } from 'node:http'
import { bottleError } from '../../system/bottle-error.ts'
import { createTickets } from './tickets.ts'

/** One file on its way in. */
export interface Upload {
  readonly url: string
  /**
   * The bytes as they come, once the page sends them; nothing is kept and nothing read ahead.
   * @throws BottleError `timeout` when nothing comes, `cancelled` when the page leaves
   */
  content(signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** Tells the page that waits for the answer, and refuses what still comes. */
  settle(isKept: boolean): void
}

/** What an address for one PUT says to the server that receives it. */
export type Received = 'kept' | 'refused' | 'unknown' | 'wrong-length'

export interface Uploads {
  /** Makes an address that takes exactly so many bytes, once. */
  expect(bytes: number): Upload
  /** Takes the request over; resolves when the import has ended. */
  receive(key: string, request: IncomingMessage): Promise<Received>
  close(): void
}

/** A page sends at once; what waits is the other end. */
const START_MS = 30_000
/** Silence in the middle of a file after which it is given up. */
const IDLE_MS = 60_000

interface Expected {
  readonly bytes: number
  readonly arrive: (request: IncomingMessage) => void
  readonly refuse: (error: Error) => void
  readonly ended: Promise<boolean>
}

/** Uploads of one server. */
export function createUploads(times = { startMs: START_MS, idleMs: IDLE_MS }): Uploads {
  const tickets = createTickets<Expected>(times.startMs)
  return {
    expect(bytes) {
      const arrival = Promise.withResolvers<IncomingMessage>()
      const end = Promise.withResolvers<boolean>()
      // Nobody may be waiting yet.
      arrival.promise.catch(() => undefined)
      const expected: Expected = {
        bytes,
        arrive: arrival.resolve,
        refuse: arrival.reject,
        ended: end.promise,
      }
      const key = tickets.issue(expected, () =>
        arrival.reject(bottleError('timeout', 'The file did not arrive. Nothing was imported.')),
      )
      return {
        url: `/upload/${key}`,
        async content(signal) {
          return chunksOf(await untilAborted(arrival.promise, signal), times.idleMs)
        },
        settle(isKept) {
          tickets.revoke(expected)
          end.resolve(isKept)
        },
      }
    },
    async receive(key, request) {
      const expected = tickets.take(key)
      if (!expected) return 'unknown'
      if (request.headers['content-length'] !== String(expected.bytes)) {
        expected.refuse(
          bottleError(
            'artifact-invalid',
            'The upload is not as long as was announced. Nothing was imported.',
          ),
        )
        return 'wrong-length'
      }
      expected.arrive(request)
      return (await expected.ended) ? 'kept' : 'refused'
    },
    close: () => tickets.close(),
  }
}

/** The body chunk by chunk: the next is read only when it is asked for. */
async function* chunksOf(request: IncomingMessage, idleMs: number): AsyncIterable<Uint8Array> {
  const body = request[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { promise, reject } = Promise.withResolvers<never>()
      const timer = setTimeout(
        () => reject(bottleError('timeout', 'The upload stalled. Nothing was imported.')),
        idleMs,
      )
      const next = await Promise.race([body.next(), promise]).finally(() => clearTimeout(timer))
      if (next.done) break
      yield next.value as Uint8Array
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET' || request.destroyed) throw brokenOff(error)
    throw error
  }
  // A body that ends early is an error of the stream by itself; this is the last line of defence.
  if (!request.complete) throw brokenOff(undefined)
}

function brokenOff(cause: unknown): Error {
  return bottleError('cancelled', 'The upload broke off. Nothing was imported.', { cause })
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
