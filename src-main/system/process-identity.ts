import { readFile } from 'node:fs/promises'
import { runCommand } from './run-command.ts'

/** Names one process for good: a pid alone is reused, and a start time alone is only unique per boot. */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque: clock ticks since boot on Linux, `ps` start text elsewhere. */
  readonly startTime: string
  readonly bootId: string
}

let bootIdOnce: Promise<string> | undefined

/** The id of this boot; changes with every restart of the machine and with nothing else. */
export function bootId(): Promise<string> {
  bootIdOnce ??= readBootId().catch((error: unknown) => {
    bootIdOnce = undefined
    throw error
  })
  return bootIdOnce
}

async function readBootId(): Promise<string> {
  if (process.platform === 'linux') return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  // Not kern.boottime: that one moves whenever the clock is set.
  const { stdout } = await runCommand('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { timeout: 5000 })
  return stdout.trim()
}

const NO_PROCESS: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ESRCH'])

/**
 * The start time of a living process, or undefined when there is none. Zombies count as gone.
 * Throws when it can't be told: taking a living process for a dead one would give its lock away.
 */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    try {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
      // Field 2 is the name in parentheses and may hold blanks, so count from the last parenthesis.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
    } catch (error) {
      if (NO_PROCESS.has((error as NodeJS.ErrnoException).code)) return undefined
      throw error
    }
  }
  const { stdout, exitCode } = await runCommand('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], {
    // The text follows language and time zone, and both differ between a terminal and the desktop.
    env: { LC_ALL: 'C', TZ: 'UTC' },
    timeout: 5000,
    okCodes: [0, 1],
  })
  return exitCode === 0 && stdout.trim() ? stdout.trim() : undefined
}

let ownOnce: Promise<ProcessIdentity> | undefined

/** This process. */
export function ownIdentity(): Promise<ProcessIdentity> {
  ownOnce ??= identityOf(process.pid).then((found) => {
    if (!found) throw new Error('own process not found')
    return found
  })
  return ownOnce
}

/** The identity of a living process, or undefined. */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const startTime = await startTimeOf(pid)
  return startTime === undefined ? undefined : { pid, startTime, bootId: await bootId() }
}

/** Pure. */
export function isSameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startTime === b.startTime && a.bootId === b.bootId
}

/** True when exactly that process still lives. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  if (identity.bootId !== (await bootId())) return false
  return (await startTimeOf(identity.pid)) === identity.startTime
}

/**
 * True while some process has that pid: one system call and no file, for looks that come every few seconds. It says
 * neither whether it is still the same process nor whether it has ended and is not collected yet.
 */
export function isPidTaken(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
