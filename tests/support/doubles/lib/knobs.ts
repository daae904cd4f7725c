import { join } from 'node:path'
import { pause } from './process-id.ts'
import { readJson, withLock, writeJson } from './state.ts'

/** What goes wrong at a verb. */
export type FaultKind =
  /** The disk is full after `bytes` of what the verb writes. */
  | 'disk-full'
  /** The program is killed after `bytes` of what it writes, or at its start; nothing is tidied up. */
  | 'kill'
  /** The program never ends; with `bytes` after that much output, else at its start. */
  | 'hang'
  /** The program waits `ms` milliseconds at its start. */
  | 'slow'
  /** The store is held by another. */
  | 'locked'
  /** The verb ends with `exitCode` (1) and `message` on stderr. */
  | 'fail'
  /** Whoever reads stdout went away: writing to it fails. */
  | 'close-stdout'
  /** Does its work and is killed before it can say so. */
  | 'kill-after'
  /** A part of the work is lost in silence: a pack without its root file system, an image without its layers. */
  | 'hollow'

export interface Fault {
  /** As in `export` or `image load`; `*` is every verb. */
  readonly verb: string
  readonly kind: FaultKind
  readonly bytes?: number
  readonly ms?: number
  readonly message?: string
  readonly exitCode?: number
  /** How often it strikes; unlimited without. */
  readonly times?: number
}

/** What a test can turn while the double is in use; each call reads it anew. */
export interface Knobs {
  /** The engine's service doesn't answer. */
  readonly serviceDown?: boolean
  readonly faults?: readonly Fault[]
  /** Anything that only one double knows, such as how long its live copy takes: `{ copyTakesMs: 500 }`. */
  readonly extra?: Readonly<Record<string, unknown>>
}

export const knobsPath = (dir: string): string => join(dir, 'knobs.json')

export function readKnobs(dir: string): Knobs {
  return readJson<Knobs>(knobsPath(dir), {})
}

export function setKnobs(dir: string, knobs: Knobs): void {
  withLock(`${knobsPath(dir)}.lock`, () => writeJson(knobsPath(dir), knobs))
}

/** The faults that strike this call; those with a count are used up by it. */
export function takeFaults(dir: string, verb: string): readonly Fault[] {
  const strikes = (fault: Fault) =>
    (fault.verb === verb || fault.verb === '*') && (fault.times === undefined || fault.times > 0)
  const first = (readKnobs(dir).faults ?? []).filter(strikes)
  if (!first.some((fault) => fault.times !== undefined)) return first
  return withLock(`${knobsPath(dir)}.lock`, () => {
    const knobs = readKnobs(dir)
    const faults = knobs.faults ?? []
    const taken = faults.filter(strikes)
    const left = faults.map((fault) =>
      strikes(fault) && fault.times !== undefined ? { ...fault, times: fault.times - 1 } : fault,
    )
    writeJson(knobsPath(dir), { ...knobs, faults: left })
    return taken
  })
}

export class DiskFullError extends Error {
  constructor() {
    super('No space left on device')
  }
}

/** The faults of one call, asked for at the places where they strike. */
export interface Strikes {
  /** At the start of the verb: waits, hangs, dies. Returns a fault that the double has to tell in its own words. */
  atStart(): Fault | null
  /** After the work, before anything is said. */
  atEnd(): void
  /** Before `count` more bytes are written; returns how many of them still may be. @throws DiskFullError on none */
  beforeBytes(count: number): number
  has(kind: FaultKind): boolean
}

export function strikesOf(faults: readonly Fault[]): Strikes {
  let written = 0
  const atBytes = faults.filter(
    ({ kind, bytes }) =>
      kind === 'disk-full' || ((kind === 'kill' || kind === 'hang') && bytes !== undefined),
  )
  return {
    has: (kind) => faults.some((fault) => fault.kind === kind),
    atStart() {
      for (const fault of faults) {
        if (fault.kind === 'slow') pause(fault.ms ?? 1000)
        if (fault.bytes !== undefined) continue
        if (fault.kind === 'hang') for (;;) pause(1000)
        if (fault.kind === 'kill') process.kill(process.pid, 'SIGKILL')
      }
      return faults.find(({ kind }) => kind === 'fail' || kind === 'locked') ?? null
    },
    atEnd() {
      if (faults.some(({ kind }) => kind === 'kill-after')) process.kill(process.pid, 'SIGKILL')
    },
    beforeBytes(count) {
      const fault = atBytes.find(({ bytes = 0 }) => written + count > bytes)
      if (!fault) {
        written += count
        return count
      }
      const room = Math.max(0, (fault.bytes ?? 0) - written)
      written += room
      if (room > 0) return room
      if (fault.kind === 'hang') for (;;) pause(1000)
      if (fault.kind === 'kill') process.kill(process.pid, 'SIGKILL')
      throw new DiskFullError()
    },
  }
}
