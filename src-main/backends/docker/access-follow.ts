import { Socket } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { isBottleError } from '../../system/bottle-error.ts'
import type { RuntimeRef } from '../backend.ts'
import { openView, type TerminalView } from '../local/terminal-view.ts'
import { type Engine, whileOpening } from './engine.ts'
import { keepTail } from './keep-tail.ts'
import { inspectContainer } from './remove-objects.ts'
import { knownSize, resize, type Size } from './terminal-size.ts'

/** How much of the earlier output a new view starts from. */
const REPLAY_BYTES = 512 * 1024
/** The engine counts the lines of a log, of at most 16 kB each, and need not read what lies before them. */
const REPLAY_LINES = 8192
/** How much of what came meanwhile is looked for at the end of the earlier output. */
const OVERLAP_BYTES = 64 * 1024
/** How long a program may take to see that its terminal got another size. */
const NOTICE_MS = 150
const UNDO_MS = 10_000

/** One connection to a container's output, kept while somebody looks or listens. */
export interface Followed {
  /** Null for a container without a terminal. */
  readonly view: TerminalView | null
  size: Size
  readonly hasEnded: boolean
  /** Counts what came, so that a listener sees that there was something. */
  readonly arrivals: number
  /** Without it the connection alone does not keep this process from ending. */
  hold(isHeld: boolean): void
  /** Resolves at the next output, or the end. */
  next(): Promise<void>
  close(): void
}

/**
 * Connects to a running container's output; null when it does not run. A terminal's view is filled with what it wrote
 * before. @throws BottleError
 */
export async function follow(
  engine: Engine,
  home: string,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<Followed | null> {
  const found = await inspectContainer(engine, ref.id, signal)
  if (!found?.State.Running) return null
  const size = await knownSize(home, ref)
  const stream = await connect(engine, ref, found.Config.Tty, signal)
  const view = found.Config.Tty ? await openView(size) : null
  const followed = createFollowed(stream, view, size)
  if (view) {
    try {
      await followed.replay(await earlierOutput(engine, ref, found.State.FinishedAt, signal))
      await askForRepaint(engine, ref, size, signal)
    } catch (thrown) {
      followed.close()
      throw thrown
    }
  }
  return followed
}

/**
 * What had no line end yet is in no log, and nobody has it. A program that draws a screen draws it again for another
 * size; of one that does not, the line that it had not ended stays unseen.
 */
async function askForRepaint(
  engine: Engine,
  ref: RuntimeRef,
  size: Size,
  signal: AbortSignal,
): Promise<void> {
  const smaller = { cols: Math.max(1, size.cols - 1), rows: Math.max(1, size.rows - 1) }
  await resize(engine, ref.id, smaller, signal).catch(ignoreRefusal)
  try {
    await delay(NOTICE_MS, undefined, { signal })
  } finally {
    // Whoever gave up meanwhile leaves the terminal as it was.
    await resize(engine, ref.id, size, AbortSignal.timeout(UNDO_MS)).catch(ignoreRefusal)
  }
}

/** It may have ended meanwhile. */
function ignoreRefusal(thrown: unknown): void {
  if (isBottleError(thrown) && thrown.code === 'cancelled') throw thrown
}

/**
 * A terminal not through the log, which has only whole lines: a question at the line's end would never be seen. Lives
 * longer than the call that opens it.
 */
async function connect(
  engine: Engine,
  ref: RuntimeRef,
  isTerminal: boolean,
  signal: AbortSignal,
): Promise<Readable> {
  const what = `follow the output of ${ref.name}`
  if (!isTerminal) {
    const path = `/containers/${encodeURIComponent(ref.id)}/logs?stdout=1&stderr=1&follow=1&tail=0`
    return whileOpening(signal, (opening) => engine.stream(what, path, opening))
  }
  return (await engine.call(what, signal, (docker, bounded) =>
    whileOpening(bounded, (abortSignal) =>
      docker
        .getContainer(ref.id)
        .attach({ stream: true, stdout: true, stderr: true, hijack: true, abortSignal }),
    ),
  )) as Duplex
}

/**
 * The last of what this start of the container has written: a restart has a terminal of its own. Told from the end of
 * the start before, since the engine notes a start only when the program may have written already.
 */
async function earlierOutput(
  engine: Engine,
  ref: RuntimeRef,
  formerEnd: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const bounds = `since=${sinceOf(formerEnd)}&tail=${REPLAY_LINES}`
  const path = `/containers/${encodeURIComponent(ref.id)}/logs?stdout=1&stderr=1&${bounds}`
  const kept = keepTail(REPLAY_BYTES)
  try {
    for await (const chunk of await engine.stream(`read the output of ${ref.name}`, path, signal)) {
      kept.add(chunk as Buffer)
    }
  } catch (thrown) {
    // An engine that keeps no logs has none to show.
    if (signal.aborted) throw thrown
  }
  return kept.bytes()
}

/** Pure: a time of the engine as it wants to be asked, seconds with a fraction that a date would round; 0 for never. */
export function sinceOf(time: string): string {
  const seconds = Math.floor(Date.parse(time) / 1000)
  return seconds > 0 ? `${seconds}.${/\.(\d{1,9})/.exec(time)?.[1] ?? '0'}` : '0'
}

interface Replaying extends Followed {
  replay(earlier: Buffer): Promise<void>
}

function createFollowed(stream: Readable, view: TerminalView | null, size: Size): Replaying {
  // Output goes on while the log is read; of very much of it the end does, since the program is asked to draw anew.
  let waiting = view ? keepTail(REPLAY_BYTES) : null
  let arrivals = 0
  let hasEnded = false
  let wake: () => void = () => undefined
  const newBell = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })
  let bell = newBell()
  const ring = (): void => {
    const last = wake
    bell = newBell()
    last()
  }
  const take = async (): Promise<void> => {
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        arrivals++
        if (waiting) waiting.add(chunk)
        else if (view) {
          view.feed(chunk)
          // The next bytes wait until these are drawn.
          await view.settled()
        }
        ring()
      }
    } catch {
      // Cut off by either side: it just ends.
    }
    hasEnded = true
    ring()
  }
  void take()
  return {
    view,
    size,
    get hasEnded() {
      return hasEnded
    },
    get arrivals() {
      return arrivals
    },
    next: () => (hasEnded ? Promise.resolve() : bell),
    async replay(earlier) {
      const since = waiting?.bytes() ?? Buffer.alloc(0)
      view?.feed(earlier)
      view?.feed(since.subarray(overlap(earlier, since)))
      waiting = null
      await view?.settled()
    },
    hold(isHeld) {
      const socket = socketOf(stream)
      if (isHeld) socket?.ref()
      else socket?.unref()
    },
    close() {
      stream.destroy()
      view?.close()
    },
  }
}

function socketOf(stream: Readable): Socket | null {
  const inner = (stream as Readable & { readonly socket?: unknown }).socket ?? stream
  return inner instanceof Socket ? inner : null
}

/** How many bytes at the beginning of `since` are the end of `earlier` already. Pure. */
export function overlap(earlier: Buffer, since: Buffer): number {
  for (let length = Math.min(earlier.length, since.length, OVERLAP_BYTES); length > 0; length--) {
    if (earlier.subarray(earlier.length - length).equals(since.subarray(0, length))) return length
  }
  return 0
}
