/** Due times by key, in milliseconds since 1970. */
export type DueTimes = ReadonlyMap<string, number>

/** The earliest due time; null when nothing is due ever. Pure. */
export function nextDue(dues: DueTimes): number | null {
  let earliest: number | null = null
  for (const at of dues.values()) if (earliest === null || at < earliest) earliest = at
  return earliest
}

/** What is due now, the longest overdue first. Pure. */
export function dueNow(dues: DueTimes, now: number): readonly string[] {
  return [...dues]
    .filter(([, at]) => at <= now)
    .sort(([, a], [, b]) => a - b)
    .map(([key]) => key)
}

/**
 * How long to sleep: until the first due time, rounded up so that agents that are due close together wake the process
 * once, and never longer than a timer can count. Pure.
 */
export function sleepMs(earliest: number, now: number, slackMs: number): number {
  const wanted = Math.max(0, earliest - now)
  const rounded = Math.ceil((now + wanted) / slackMs) * slackMs - now
  return Math.min(Math.max(1, rounded), LONGEST_MS)
}

/** After a longer sleep it looks again: the machine's clock may have been set. */
const LONGEST_MS = 3_600_000
/** Milliseconds that a due time may wait for others. */
const SLACK_MS = 100

export interface Clock {
  now(): number
  /** Runs once after so many milliseconds; returns its cancel. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** ONE timer for any number of agents. */
export interface Wheel {
  /** Sets or, with null, removes what is due under a key. */
  set(key: string, at: number | null): void
  /** Removes everything under a key's prefix. */
  drop(prefix: string): void
  readonly size: number
  stop(): void
}

/** Calls back once for each key that falls due; a key is removed before its call. */
export function createWheel(onDue: (key: string) => void, clock: Clock = systemClock): Wheel {
  const dues = new Map<string, number>()
  let armed: { readonly at: number; readonly cancel: () => void } | null = null
  let isStopped = false
  const disarm = (): void => {
    armed?.cancel()
    armed = null
  }
  const arm = (): void => {
    const earliest = isStopped ? null : nextDue(dues)
    if (earliest === null) {
      disarm()
      return
    }
    // An earlier wake-up than needed only arms again: cheaper than moving the timer with each output.
    if (armed && armed.at <= earliest) return
    disarm()
    armed = { at: earliest, cancel: clock.after(sleepMs(earliest, clock.now(), SLACK_MS), turn) }
  }
  const turn = (): void => {
    armed = null
    for (const key of dueNow(dues, clock.now())) {
      dues.delete(key)
      onDue(key)
    }
    arm()
  }
  return {
    set(key, at) {
      if (at === null) dues.delete(key)
      else dues.set(key, at)
      arm()
    },
    drop(prefix) {
      for (const key of [...dues.keys()]) if (key.startsWith(prefix)) dues.delete(key)
      arm()
    },
    get size() {
      return dues.size
    },
    stop() {
      isStopped = true
      dues.clear()
      disarm()
    },
  }
}
