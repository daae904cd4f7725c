import { spawn } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { hasLivingMember, killMarked } from './marked-processes.ts'

export interface GroupOptions {
  readonly cwd: string
  /** The whole environment of the child. */
  readonly env: Readonly<Record<string, string>>
  /** Milliseconds; every child has one. */
  readonly timeout: number
  readonly signal: AbortSignal
  /** Bytes of output that are kept: the last ones, stdout and stderr as they came. */
  readonly keep: number
  /** A variable of `env` that no other process has; what left the group is found by it where the system tells. */
  readonly marker: string
}

/** How a program and all that it started ended. */
export interface GroupEnd {
  /** Null when a signal ended it or it never began. */
  readonly exitCode: number | null
  readonly signalName: string | null
  readonly reason: 'ended' | 'timeout' | 'cancelled' | 'not-started'
  /** Why it never began; empty otherwise. */
  readonly complaint: string
  readonly output: Buffer
  /** True when more was said than was kept. */
  readonly isCut: boolean
}

/** Milliseconds between TERM and KILL. */
const GRACE_MS = 2000
/** Milliseconds in which output that is on its way still counts. */
const DRAIN_MS = 250
const POLL_MS = 30

/**
 * Runs a program with an argument list in a process group of its own and ends the whole group with it, TERM then KILL,
 * so that nothing it started is left. Its file 3 is open for as long as this process lives. Never throws: each way to
 * end is an answer.
 */
export async function runGroup(
  file: string,
  args: readonly string[],
  options: GroupOptions,
): Promise<GroupEnd> {
  const tail = makeTail(options.keep)
  if (options.signal.aborted) return ended('cancelled', null, null, tail)
  const child = spawn(file, [...args], {
    cwd: options.cwd,
    env: { ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  child.stdio[3]?.on('error', () => undefined)
  child.stdout?.on('data', tail.push)
  child.stderr?.on('data', tail.push)
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let reason: GroupEnd['reason'] = 'ended'
  let stop: ((why: GroupEnd['reason']) => void) | undefined
  const over = new Promise<GroupEnd['reason']>((resolve) => {
    stop = resolve
  })
  const late = setTimeout(() => stop?.('timeout'), options.timeout)
  const cancel = (): void => stop?.('cancelled')
  options.signal.addEventListener('abort', cancel, { once: true })
  try {
    const exit = await Promise.race([
      new Promise<readonly [number | null, string | null] | Error>((resolve) => {
        child.once('error', resolve)
        child.once('exit', (code, signalName) => resolve([code, signalName]))
      }),
      over,
    ])
    if (exit instanceof Error) return { ...ended('not-started', null, null, tail), complaint: exit.message }
    const [code, signalName] = typeof exit === 'string' ? [null, null] : exit
    if (typeof exit === 'string') reason = exit
    if (child.pid !== undefined) await endGroup(child.pid)
    await killMarked(options.marker)
    await Promise.race([closed, delay(DRAIN_MS)])
    return ended(reason, code, signalName, tail)
  } finally {
    clearTimeout(late)
    options.signal.removeEventListener('abort', cancel)
    child.stdout?.destroy()
    child.stderr?.destroy()
    child.stdio[3]?.destroy()
  }
}

/** TERM, a grace, KILL; returns once no process of the group is left. */
async function endGroup(pid: number): Promise<void> {
  if (!signalGroup(pid, 'SIGTERM')) return
  const deadline = Date.now() + GRACE_MS
  while (Date.now() < deadline) {
    if (!signalGroup(pid, 0) || !(await hasLivingMember(pid))) return
    await delay(POLL_MS)
  }
  signalGroup(pid, 'SIGKILL')
}

/** False when nobody is left to hear it. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch (error) {
    // macOS answers EPERM for a group of which only dead members are left.
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH' || code === 'EPERM') return false
    throw error
  }
}

interface Tail {
  readonly push: (chunk: Buffer) => void
  readonly read: () => { readonly output: Buffer; readonly isCut: boolean }
}

/** Keeps the last bytes of a stream in bounded memory, however much comes. */
function makeTail(keep: number): Tail {
  let chunks: Buffer[] = []
  let held = 0
  let isCut = false
  return {
    push(chunk) {
      chunks.push(chunk)
      held += chunk.length
      if (held <= keep * 2) return
      chunks = [Buffer.from(Buffer.concat(chunks).subarray(-keep))]
      held = keep
      isCut = true
    },
    read() {
      const all = Buffer.concat(chunks)
      return { output: all.subarray(-keep), isCut: isCut || all.length > keep }
    },
  }
}

function ended(
  reason: GroupEnd['reason'],
  exitCode: number | null,
  signalName: string | null,
  tail: Tail,
): GroupEnd {
  return { reason, exitCode, signalName, complaint: '', ...tail.read() }
}
