import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { IDLE, SET_UP, SUPERVISE, THAW_AFTER_DEATH, WITH_INIT } from './guest-scripts.ts'
import { makeFolderInRoot, resolveInRoot } from './in-root.ts'
import { isAlive, lookUp, type ProcessId, parseStat, pause, signalProcess } from './process-id.ts'

/** What runs in a guest. */
export interface GuestCommand {
  readonly argv: readonly string[]
  /** Exactly the guest's environment, nothing is added. */
  readonly env: Readonly<Record<string, string>>
  readonly uid: number
  readonly gid: number
  readonly cwd: string
}

export type GuestMount =
  | { readonly type: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  | { readonly type: 'tmpfs'; readonly target: string; readonly options?: string }

/** A root file system in a folder and the records of whoever runs in it. */
export interface Guest {
  readonly root: string
  /** Folder for the records of one run; made when missing. */
  readonly runDir: string
  /** Folder with device nodes, shared by all guests of a double; made by `makeDeviceFolder`. */
  readonly devDir: string
}

export interface GuestStart {
  readonly mounts?: readonly GuestMount[]
  readonly readOnlyRoot?: boolean
  /** True puts a small init before the command. */
  readonly useInit?: boolean
  /** Null: the guest idles and only `runInGuest` does anything in it. */
  readonly command: GuestCommand | null
  readonly stdio: StdioOptions
  /** True leaves this session, so that the guest outlives it; a guest on a terminal stays. */
  readonly detached: boolean
  /** Folder that goes with the guest's end. */
  readonly removeAfterwards?: string
}

const SUPERVISOR = 'supervisor'
const INIT = 'init'
const EXIT = 'exit'
const SAID = 'set-up'
const DEVICES: readonly (readonly [string, string, string])[] = [
  ['null', '1', '3'],
  ['zero', '1', '5'],
  ['full', '1', '7'],
  ['random', '1', '8'],
  ['urandom', '1', '9'],
  ['tty', '5', '0'],
]
const LINKS: readonly (readonly [string, string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['ptmx', 'pts/ptmx'],
]

/** Makes the device nodes that every guest sees below `/dev`. */
export function makeDeviceFolder(dir: string): void {
  if (existsSync(join(dir, 'shm'))) return
  mkdirSync(join(dir, 'pts'), { recursive: true })
  for (const [name, major, minor] of DEVICES) {
    if (!existsSync(join(dir, name))) mustRun('mknod', ['-m', '666', join(dir, name), 'c', major, minor])
  }
  for (const [name, target] of LINKS) mustRun('ln', ['-sfn', target, join(dir, name)])
  mkdirSync(join(dir, 'shm'), { recursive: true })
}

/** Runs a program of this machine that has to succeed. */
export function mustRun(file: string, args: readonly string[], input?: string | Buffer): Buffer {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    maxBuffer: 1 << 30,
    ...(input === undefined ? {} : { input }),
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${file} failed (${status}): ${stderr.toString().trim()}`)
  return stdout
}

/** Folders that must be there before anything is mounted over them. */
function prepareRoot(guest: Guest, mounts: readonly GuestMount[]): string[] {
  for (const folder of ['/proc', '/dev', '/sys']) makeFolderInRoot(guest.root, folder)
  return mounts.flatMap((mount) => {
    if (mount.type === 'tmpfs')
      return ['tmpfs', makeFolderInRoot(guest.root, mount.target), mount.options ?? 'mode=1777']
    const target = statSync(mount.source).isDirectory()
      ? makeFolderInRoot(guest.root, mount.target)
      : resolveInRoot(guest.root, mount.target)
    return ['bind', mount.source, target, mount.readOnly ? 'ro' : 'rw']
  })
}

/** The command as programs of this machine that change root, user and folder and become it. */
function commandLine(root: string, command: GuestCommand): string[] {
  const user = ['-G', String(command.gid), '-S', String(command.uid)]
  const place = [`--root=${root}`, `--wd=${command.cwd}`]
  return ['/usr/bin/unshare', ...place, ...user, '--', ...command.argv]
}

function withEnv(env: Readonly<Record<string, string>>, line: readonly string[]): string[] {
  return ['/usr/bin/env', '-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...line]
}

/**
 * Starts a guest in namespaces of its own and returns as soon as its mounts stand and its command begins. The child
 * is the supervisor; it ends with the guest.
 * @throws Error when it couldn't be set up
 */
export async function startGuest(guest: Guest, start: GuestStart): Promise<ChildProcess> {
  mkdirSync(guest.runDir, { recursive: true, mode: 0o700 })
  for (const name of [SUPERVISOR, INIT, EXIT]) rmSync(join(guest.runDir, name), { force: true })
  const mounts = prepareRoot(guest, start.mounts ?? [])
  const mode = start.readOnlyRoot ? 'ro' : 'rw'
  const init = start.useInit ? ['/bin/sh', '-c', WITH_INIT, 'init'] : []
  const command = start.command
    ? [...init, ...withEnv(start.command.env, commandLine(guest.root, start.command))]
    : ['/bin/sh', '-c', IDLE]
  const inside = [guest.root, join(guest.runDir, INIT), guest.devDir, mode, ...mounts, '--', ...command]
  const spaces = [
    '--mount',
    '--pid',
    '--fork',
    '--kill-child=SIGKILL',
    '--',
    '/bin/sh',
    '-c',
    SET_UP,
    'set-up',
    ...inside,
  ]
  const records = [
    join(guest.runDir, SUPERVISOR),
    join(guest.runDir, EXIT),
    join(guest.runDir, SAID),
    start.removeAfterwards ?? '',
  ]
  const stdio = Array.isArray(start.stdio) ? start.stdio : [start.stdio, start.stdio, start.stdio]
  const child = spawn('/bin/sh', ['-c', SUPERVISE, 'supervise', ...records, '/usr/bin/unshare', ...spaces], {
    cwd: '/',
    detached: start.detached,
    stdio: [...stdio, 'pipe'],
  })
  const ready = child.stdio[3]
  const told = await new Promise<string>((resolve, reject) => {
    let text = ''
    child.once('error', reject)
    ready?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text === 'ok') resolve(text)
    })
    ready?.once('end', () => resolve(text))
    ready?.once('error', reject)
  })
  ready?.destroy()
  if (told !== 'ok') {
    const why = readFileSync(join(guest.runDir, SAID), 'utf8').trim()
    throw new Error(`the guest in ${guest.root} could not be set up: ${why}`)
  }
  return child
}

/** Starts a further command in a running guest. Its exit code is the child's. */
export function runInGuest(
  guest: Guest,
  command: GuestCommand,
  options: { readonly stdio: StdioOptions; readonly detached?: boolean },
): ChildProcess {
  const [file = '', ...args] = lineInGuest(guest, command)
  const { stdio, detached = false } = options
  return spawn(file, args, { cwd: '/', env: command.env, stdio, detached })
}

/** What `runInGuest` starts, with the command's environment. @throws Error when no guest runs */
export function lineInGuest(guest: Guest, command: GuestCommand): readonly string[] {
  const init = initOf(guest)
  if (!init || !isAlive(init)) throw new Error(`no guest runs in ${guest.root}`)
  const enter = ['/usr/bin/nsenter', '-t', String(init.pid), '--mount', '--pid', '--']
  return [...enter, ...commandLine(guest.root, command)]
}

/** The guest's first process as seen from this machine; null before the first start. */
export function initOf(guest: Pick<Guest, 'runDir'>): ProcessId | null {
  return readRecord(join(guest.runDir, INIT))
}

function readRecord(path: string): ProcessId | null {
  try {
    const { pid, start } = parseStat(readFileSync(path, 'utf8'))
    return { pid, start }
  } catch {
    return null
  }
}

export function isGuestRunning(guest: Pick<Guest, 'runDir'>): boolean {
  const init = initOf(guest)
  return init !== null && isAlive(init)
}

/** How the last run ended, 128+n for a signal; null while it runs or when its supervisor was killed too. */
export function exitOf(guest: Pick<Guest, 'runDir'>): number | null {
  try {
    return Number(readFileSync(join(guest.runDir, EXIT), 'utf8'))
  } catch {
    return null
  }
}

/** Signals the guest's first process, which as such ignores what it has no handler for, SIGKILL and SIGSTOP apart. */
export function signalGuest(guest: Pick<Guest, 'runDir'>, signal: NodeJS.Signals): void {
  const init = initOf(guest)
  if (init) signalProcess(init, signal)
}

/** Asks politely, then kills; returns when the guest and its supervisor are gone. */
export function stopGuest(
  guest: Pick<Guest, 'runDir'>,
  options: { readonly signal?: NodeJS.Signals; readonly graceMs: number },
): void {
  if (options.graceMs > 0) {
    signalGuest(guest, options.signal ?? 'SIGTERM')
    awaitEnd(guest, options.graceMs)
  }
  if (isGuestRunning(guest)) thawGuest(guest)
  signalGuest(guest, 'SIGKILL')
  if (!awaitEnd(guest, 30_000)) throw new Error(`the guest of ${guest.runDir} does not end`)
}

/** True when guest and supervisor ended in time. */
export function awaitEnd(guest: Pick<Guest, 'runDir'>, milliseconds: number): boolean {
  const until = Date.now() + milliseconds
  while (isGuestBusy(guest)) {
    if (Date.now() >= until) return false
    pause(4)
  }
  return true
}

function isGuestBusy(guest: Pick<Guest, 'runDir'>): boolean {
  const supervisor = readRecord(join(guest.runDir, SUPERVISOR))
  return isGuestRunning(guest) || (supervisor !== null && isAlive(supervisor))
}

/** Every process of the guest's pid namespace, as numbers of this machine. */
export function processesOf(guest: Pick<Guest, 'runDir'>): readonly ProcessId[] {
  const init = initOf(guest)
  if (!init || !isAlive(init)) return []
  const space = spaceOf(init.pid)
  if (space === null) return []
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    if (!Number.isInteger(pid) || spaceOf(pid) !== space) return []
    const found = lookUp(pid)
    return found ? [{ pid: found.pid, start: found.start }] : []
  })
}

function spaceOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return null
  }
}

/** Holds every process of the guest, so that nobody writes to its file system. */
export function freezeGuest(guest: Pick<Guest, 'runDir'>): void {
  const isHeld = (id: ProcessId) => ['T', 'Z', 'X', undefined].includes(lookUp(id.pid)?.state)
  // A fork may slip through one pass; two passes without a new process are the whole guest.
  for (let known = -1; ; ) {
    const all = processesOf(guest)
    for (const id of all) signalProcess(id, 'SIGSTOP')
    if (all.length === known && all.every(isHeld)) break
    known = all.length
    pause(1)
  }
  // `nsenter` stops itself when its child was stopped; only one that has can be waked for sure.
  const until = Date.now() + 2000
  while (!waitersOf(guest).every(isHeld) && Date.now() < until) pause(1)
}

export function thawGuest(guest: Pick<Guest, 'runDir'>): void {
  const waiters = waitersOf(guest)
  for (const id of [...processesOf(guest), ...waiters]) signalProcess(id, 'SIGCONT')
}

/**
 * Holds the guest while `work` runs. As with an engine of its own, the guest goes on also when this program is killed
 * in the middle of it.
 */
export function whileFrozen<T>(guest: Pick<Guest, 'runDir'>, work: () => T): T {
  const init = initOf(guest)
  const waiters = waitersOf(guest)
  // Its stdin ends with this program, whatever ends that; a line before means that all went well.
  const guard = spawn(
    '/bin/sh',
    ['-c', THAW_AFTER_DEATH, 'guard', ...[init, ...waiters].map((id) => String(id?.pid))],
    {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  )
  freezeGuest(guest)
  try {
    return work()
  } finally {
    thawGuest(guest)
    guard.stdin.end('done\n')
    guard.unref()
  }
}

/** The `nsenter`s outside that wait for a process of the guest; each goes along with its child's stops. */
function waitersOf(guest: Pick<Guest, 'runDir'>): readonly ProcessId[] {
  return processesOf(guest).flatMap(({ pid }) => {
    const parent = lookUp(parentOf(pid))
    return parent && commandOf(parent.pid) === 'nsenter' ? [{ pid: parent.pid, start: parent.start }] : []
  })
}

function parentOf(pid: number): number {
  const status = readQuietly(`/proc/${pid}/status`)
  return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? 0)
}

const commandOf = (pid: number): string => readQuietly(`/proc/${pid}/comm`).trim()

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It ended in the meantime.
    return ''
  }
}
