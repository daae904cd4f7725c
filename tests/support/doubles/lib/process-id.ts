import { readFileSync } from 'node:fs'

/** A process named so that a later one with the same number is not taken for it. */
export interface ProcessId {
  readonly pid: number
  /** Clock ticks since boot, as the kernel tells. */
  readonly start: string
}

/** Reads one line of `/proc/<pid>/stat`. The second field is the program's name in brackets and may hold blanks. */
export function parseStat(line: string): ProcessId & { readonly state: string } {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return { pid: Number.parseInt(line, 10), state: fields[0] ?? '', start: fields[19] ?? '' }
}

/** The process with this number as it is now, or null. */
export function lookUp(pid: number): (ProcessId & { readonly state: string }) | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return null
  }
}

/** True as long as exactly this process is there and no zombie. */
export function isAlive(id: ProcessId): boolean {
  const now = lookUp(id.pid)
  return now !== null && now.start === id.start && now.state !== 'Z' && now.state !== 'X'
}

/** Signals exactly this process; one that is gone is fine. */
export function signalProcess(id: ProcessId, signal: NodeJS.Signals): void {
  if (!isAlive(id)) return
  try {
    process.kill(id.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** This process, for locks and records. */
export function self(): ProcessId {
  const me = lookUp(process.pid)
  if (!me) throw new Error('/proc is not there')
  return { pid: me.pid, start: me.start }
}

/** Sleeps without an event loop; the doubles are short programs. */
export function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}
