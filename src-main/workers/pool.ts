import { startThread, type Thread } from './thread.ts'

/** After so long without work a thread gives its memory back. */
const IDLE_MS = 30_000

export interface Pool {
  /** The thread with the least to do; a new one when all are busy and there may be more. */
  pick(): Thread
  /** How many threads there may be. */
  readonly size: number
  /** True while nothing runs and nothing lives on any thread. */
  isFree(): boolean
  /** Keeps the threads while something lives on them between calls. */
  hold(): () => void
}

export interface PoolOptions {
  readonly start?: () => Thread
  readonly idleMs?: number
  /** Called when the threads were ended for want of work. */
  readonly onIdle?: () => void
}

/** Threads of one kind, started on need, replaced when they die, ended when idle. */
export function createPool(size: number, options: PoolOptions = {}): Pool {
  const { start = startThread, idleMs = IDLE_MS, onIdle } = options
  let threads: Thread[] = []
  let holds = 0
  let timer: NodeJS.Timeout | undefined

  function watchIdle(): void {
    timer ??= setInterval(sweep, idleMs).unref()
  }

  let wasIdle = false
  function sweep(): void {
    const isIdle = holds === 0 && threads.every((thread) => thread.load === 0)
    if (isIdle && wasIdle) {
      for (const thread of threads) thread.end()
      threads = []
      clearInterval(timer)
      timer = undefined
      onIdle?.()
    }
    wasIdle = isIdle
  }

  return {
    size,
    isFree: () => holds === 0 && threads.every((thread) => thread.load === 0),
    pick() {
      wasIdle = false
      watchIdle()
      threads = threads.filter((thread) => !thread.isDead)
      const idlest = threads.toSorted((a, b) => a.load - b.load)[0]
      if (idlest && (idlest.load === 0 || threads.length >= size)) return idlest
      const made = start()
      threads.push(made)
      return made
    },
    hold() {
      holds++
      let isHeld = true
      return () => {
        if (isHeld) holds--
        isHeld = false
      }
    },
  }
}
