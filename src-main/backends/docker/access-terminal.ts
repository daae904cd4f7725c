import { setTimeout as delay } from 'node:timers/promises'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { ScreenText, Stroke } from '../agent-access.ts'
import type { RuntimeRef } from '../backend.ts'
import { type Followed, follow } from './access-follow.ts'
import { typeStrokes } from './access-type.ts'
import type { Engine } from './engine.ts'
import { knownSize, type Size } from './terminal-size.ts'

/** A connection that nobody uses any more is kept so long for the next look. */
const KEEP_MS = 600_000
/** Times of output come at most so often. */
const COALESCE_MS = 250
/** Between two tries to reach an engine that went away. */
const RETRY_MS = 5000
/** How long a connection may take to open. */
const OPEN_MS = 60_000

export interface DockerTerminals {
  screen(ref: RuntimeRef, signal: AbortSignal): Promise<ScreenText | null>
  type(ref: RuntimeRef, strokes: readonly Stroke[], signal: AbortSignal): Promise<void>
  output(ref: RuntimeRef, signal: AbortSignal): AsyncIterable<number>
}

interface Held {
  readonly opening: Promise<Followed | null>
  /** Of its own, so that nobody who gives up ends it for the others. */
  readonly stop: AbortController
  isOpening: boolean
  users: number
  timer: ReturnType<typeof setTimeout> | undefined
}

/** Terminals of containers, one connection each however many look, listen and type. */
export function createTerminals(engine: Engine, home: string): DockerTerminals {
  const held = new Map<string, Held>()

  const drop = (id: string, entry: Held): void => {
    clearTimeout(entry.timer)
    if (held.get(id) === entry) held.delete(id)
    entry.stop.abort()
    void entry.opening.then(
      (followed) => followed?.close(),
      () => undefined,
    )
  }
  const isOver = async ({ opening }: Held): Promise<boolean> =>
    (await opening.catch(() => null))?.hasEnded !== false

  const open = (ref: RuntimeRef): Held => {
    const stop = new AbortController()
    const tooLate = bottleError('timeout', `The terminal of ${ref.name} could not be opened in time.`)
    const limit = setTimeout(() => stop.abort(tooLate), OPEN_MS)
    const opening = follow(engine, home, ref, stop.signal).finally(() => {
      clearTimeout(limit)
      entry.isOpening = false
    })
    const entry: Held = { opening, stop, isOpening: true, users: 0, timer: undefined }
    return entry
  }

  /** The connection of a run, until it is released; null when the container does not run. */
  async function acquire(ref: RuntimeRef, signal: AbortSignal): Promise<Acquired | null> {
    const known = held.get(ref.id)
    if (known && !known.isOpening && (await isOver(known))) drop(ref.id, known)
    const entry: Held = held.get(ref.id) ?? open(ref)
    held.set(ref.id, entry)
    clearTimeout(entry.timer)
    entry.users++
    const release = async (): Promise<void> => {
      entry.users--
      if (entry.isOpening) {
        if (entry.users === 0) drop(ref.id, entry)
      } else if (await isOver(entry)) drop(ref.id, entry)
      else if (entry.users === 0) {
        ;(await entry.opening)?.hold(false)
        entry.timer = setTimeout(() => drop(ref.id, entry), KEEP_MS).unref()
      }
    }
    try {
      const followed = await unlessAborted(entry.opening, signal)
      followed?.hold(true)
      if (followed) return { followed, release }
    } catch (thrown) {
      await release()
      throw thrown
    }
    await release()
    return null
  }

  return {
    async screen(ref, signal) {
      const got = await acquire(ref, signal)
      if (!got) return null
      try {
        return await look(got.followed, await knownSize(home, ref))
      } finally {
        await got.release()
      }
    },
    async type(ref, strokes, signal) {
      const got = await acquire(ref, signal)
      if (!got) throw bottleError('not-found', `The agent of ${ref.slug} has ended.`, { slug: ref.slug })
      try {
        await typeStrokes(engine, ref, got.followed, strokes, signal)
      } finally {
        await got.release()
      }
    },
    async *output(ref, signal) {
      while (!signal.aborted) {
        const got = await acquire(ref, signal).catch((thrown: unknown) => {
          // An engine that went away may come back, and its containers with it.
          if (isBottleError(thrown) && thrown.retryable) return 'later' as const
          if (signal.aborted) return null
          throw thrown
        })
        if (!got) return
        if (got !== 'later') {
          try {
            yield* arrivalsOf(got.followed, signal)
          } finally {
            await got.release()
          }
        }
        await delay(got === 'later' ? RETRY_MS : COALESCE_MS, undefined, { signal }).catch(() => undefined)
      }
    },
  }
}

interface Acquired {
  readonly followed: Followed
  release(): Promise<void>
}

/** @throws BottleError `cancelled` as soon as the signal says so */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void =>
      reject(
        isBottleError(signal.reason)
          ? signal.reason
          : bottleError('cancelled', undefined, { cause: signal.reason }),
      )
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

async function look(followed: Followed, size: Size): Promise<ScreenText | null> {
  const { view } = followed
  if (!view) return null
  if (size.cols !== followed.size.cols || size.rows !== followed.size.rows) {
    view.resize(size.cols, size.rows)
    followed.size = size
  }
  const shown = await view.look()
  return followed.hasEnded ? null : shown
}

async function* arrivalsOf(followed: Followed, signal: AbortSignal): AsyncGenerator<number> {
  const aborted = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  let known = followed.arrivals
  while (!signal.aborted) {
    if (followed.arrivals !== known) {
      known = followed.arrivals
      yield Date.now()
      await delay(COALESCE_MS, undefined, { signal }).catch(() => undefined)
    } else if (followed.hasEnded) return
    else await Promise.race([followed.next(), aborted])
  }
}
