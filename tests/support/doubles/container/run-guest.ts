import type { ChildProcess } from 'node:child_process'
import { appendFileSync, closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type GuestCommand, type GuestMount, isGuestRunning, startGuest } from '../lib/guest.ts'
import { findProgram, resolveInRoot, resolveUser } from '../lib/in-root.ts'
import { writeJson } from '../lib/state.ts'
import type { Engine } from './engine.ts'
import { ContainerError } from './errors.ts'
import {
  type ContainerRecord,
  containerPath,
  guestMounts,
  guestOf,
  startedPath,
  stopperPath,
  type User,
} from './record.ts'

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export const logPath = (engine: Engine, id: string): string => containerPath(engine, id, 'stdio.log')

export const bootLogPath = (engine: Engine, id: string): string => containerPath(engine, id, 'boot.log')

export interface GuestProcess {
  readonly argv: readonly string[]
  readonly environment: readonly string[]
  readonly user: User
  readonly workingDirectory: string
}

/** A process as the guest's runner wants it; user and program are looked up in the guest's own files. */
export function guestCommand(
  root: string,
  process: GuestProcess,
  mounts: readonly GuestMount[] = [],
): GuestCommand {
  const env = Object.fromEntries(
    process.environment.map((line) => {
      const at = line.indexOf('=')
      return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)]
    }),
  )
  const user = 'id' in process.user ? process.user.id : resolveUser(root, process.user.raw.userString)
  if (!user && 'raw' in process.user)
    throw new ContainerError(
      'notFound',
      `unable to find user ${process.user.raw.userString}: no matching entries in passwd file`,
    )
  const { uid, gid } = user ?? { uid: 0, gid: 0 }
  const [program = '', ...args] = process.argv
  const found = findProgram(root, program, env.PATH ?? DEFAULT_PATH, process.workingDirectory)
  if (found === null && !isMounted(program, mounts))
    throw new ContainerError('notFound', `failed to find target executable ${program}`)
  // The guest sees the name it was called by; what is run is what was found.
  return {
    argv: [program.includes('/') ? program : (found ?? program), ...args],
    env,
    uid,
    gid,
    cwd: process.workingDirectory,
  }
}

/** True for a program that a mount brings along: the root file system alone doesn't have it. */
function isMounted(program: string, mounts: readonly GuestMount[]): boolean {
  return mounts.some((mount) => {
    const below = relative(mount.target, program)
    return mount.type === 'bind' && !below.startsWith('..') && existsSync(join(mount.source, below))
  })
}

/** Starts a container's own process. Streams: `log` only, or pipes for whoever is attached. */
export async function startContainer(
  engine: Engine,
  record: ContainerRecord,
  streams: 'log' | 'attached',
): Promise<ChildProcess | null> {
  const guest = guestOf(engine, record.id)
  if (isGuestRunning(guest)) return null
  const process: GuestProcess = {
    argv: [record.executable, ...record.arguments],
    environment: record.environment,
    user: record.user,
    workingDirectory: record.workingDirectory,
  }
  const command = guestCommand(guest.root, process, guestMounts(record))
  mkdirSync(resolveInRoot(guest.root, record.workingDirectory), { recursive: true })
  rmSync(stopperPath(engine, record.id), { force: true })
  appendFileSync(bootLogPath(engine, record.id), `[    0.000000] Booting ${record.id}\n`)
  const log = openSync(logPath(engine, record.id), 'a')
  const isOnTerminal = streams === 'attached' && record.terminal
  const input = streams === 'attached' && record.interactive ? 'inherit' : 'ignore'
  try {
    const child = await startGuest(guest, {
      command,
      mounts: guestMounts(record),
      readOnlyRoot: record.readOnly,
      useInit: record.useInit,
      stdio: isOnTerminal
        ? ['inherit', 'inherit', 'inherit']
        : streams === 'attached'
          ? [input, 'pipe', 'pipe']
          : ['ignore', log, log],
      // A guest on the caller's terminal stays in its session; any other outlives whoever started it.
      detached: !isOnTerminal,
      ...(record.removeAtEnd && streams === 'log'
        ? { removeAfterwards: containerPath(engine, record.id) }
        : {}),
    })
    writeJson(startedPath(engine, record.id), Date.now())
    return child
  } finally {
    closeSync(log)
  }
}
