import type { ChildProcess, StdioOptions } from 'node:child_process'
import { mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type GuestCommand,
  type GuestMount,
  lineInGuest,
  makeDeviceFolder,
  runInGuest,
  startGuest,
} from '../lib/guest.ts'
import { findProgram, resolveInRoot, resolveUser } from '../lib/in-root.ts'
import { isAlive, lookUp, type ProcessId, pause } from '../lib/process-id.ts'
import type { HandedOver } from '../lib/quick.ts'
import { readJson, writeJson } from '../lib/state.ts'
import { type Context, devicesDir, guestOf } from './context.ts'
import { agentFailure, Failure } from './failure.ts'
import { type Machine, pidOf, vmDirOf } from './machines.ts'

const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** A command that runs or ran in a guest, kept so that a restored machine can have it again. */
export interface KeptProcess {
  readonly command: GuestCommand
  readonly host: ProcessId
}

/** The root file system as the running guest sees it, mounts included, on a path of this machine. */
export function liveRoot(dir: string, name: string): string {
  return `/proc/${pidOf(dir, name)}/root${join(vmDirOf(dir, name), 'rootfs')}`
}

/** Boots a machine's guest: memory file systems, the storage disk at `/workspace`, mounts. */
export async function bootGuest(dir: string, machine: Machine): Promise<void> {
  const vmDir = vmDirOf(dir, machine.name)
  const workspace = join(vmDir, 'storage', 'workspace')
  mkdirSync(workspace, { recursive: true })
  mkdirSync(join(vmDir, 'procs'), { recursive: true })
  for (const name of readdirSync(join(vmDir, 'procs'))) rmSync(join(vmDir, 'procs', name))
  makeDeviceFolder(devicesDir(dir))
  const taken = machine.mounts.some(({ target }) => target === '/workspace')
  const mounts: GuestMount[] = [
    { type: 'tmpfs', target: '/tmp' },
    { type: 'tmpfs', target: '/run', options: 'mode=755' },
    ...(taken ? [] : [{ type: 'bind' as const, source: workspace, target: '/workspace', readOnly: false }]),
    ...machine.mounts.map((mount) => ({ type: 'bind' as const, ...mount })),
  ]
  await startGuest(guestOf(dir, vmDir), { mounts, command: null, stdio: 'ignore', detached: true }).then(
    (child) => child.unref(),
  )
}

export interface Wanted {
  readonly argv: readonly string[]
  readonly env?: readonly string[]
  readonly workdir?: string | undefined
}

/** The command as the guest gets it: image, machine and call each add to the environment. @throws Failure */
export function planCommand(context: Context, machine: Machine, wanted: Wanted): GuestCommand {
  const root = liveRoot(context.dir, machine.name)
  const config = machine.imageConfig
  const userName = machine.user ?? (config?.user || 'root')
  const user = resolveUser(root, userName)
  if (!user) throw agentFailure('exec', `user '${userName}' not found in container rootfs`)
  const secrets = Object.entries(machine.secretRefs).map(([key, ref]) => {
    const value = ref.source === 'env' ? context.env[ref.value] : readFileSync(ref.value, 'utf8')
    if (value === undefined) throw agentFailure('exec', `secret '${key}': variable ${ref.value} is not set`)
    return `${key}=${value}`
  })
  const env: Record<string, string> = { PATH: SEARCH_PATH, HOME: user.home }
  for (const entry of [...(config?.env ?? []), ...machine.env, ...secrets, ...(wanted.env ?? [])]) {
    const at = entry.indexOf('=')
    if (at > 0) env[entry.slice(0, at)] = entry.slice(at + 1)
  }
  const cwd = wanted.workdir ?? machine.workdir ?? (config?.workdir || '/')
  return { argv: wanted.argv, env, uid: user.uid, gid: user.gid, cwd }
}

/** Why the guest can't run the command, as its runtime says it, or null. */
export function startProblem(root: string, command: GuestCommand): string | null {
  const [program = ''] = command.argv
  try {
    if (readdirSync(resolveInRoot(root, command.cwd)) === undefined) return null
  } catch {
    return `crun: chdir \`${command.cwd}\`: No such file or directory`
  }
  if (findProgram(root, program, command.env.PATH ?? '', command.cwd) !== null) return null
  return `crun: executable file \`${program}\` not found in $PATH: No such file or directory`
}

/** Starts a command in the guest and keeps note of it as long as it runs. */
export function spawnInGuest(
  dir: string,
  machine: Machine,
  command: GuestCommand,
  options: { readonly stdio: StdioOptions; readonly detached: boolean },
): ChildProcess {
  const vmDir = vmDirOf(dir, machine.name)
  const child = runInGuest(guestOf(dir, vmDir), command, options)
  const host = child.pid === undefined ? null : lookUp(child.pid)
  if (host) {
    const kept: KeptProcess = { command, host: { pid: host.pid, start: host.start } }
    const path = join(vmDir, 'procs', `${host.pid}.json`)
    writeJson(path, kept)
    child.once('exit', () => rmSync(path, { force: true }))
  }
  return child
}

/** The same for another process, which starts and notes it. */
export function handedCommand(
  dir: string,
  machine: Machine,
  command: GuestCommand,
  hasInput: boolean,
): HandedOver {
  const vmDir = vmDirOf(dir, machine.name)
  return {
    ...{ argv: lineInGuest(guestOf(dir, vmDir), command), env: command.env, hasInput },
    ...{ notesIn: join(vmDir, 'procs'), note: JSON.stringify(command) },
  }
}

/** Starts a command that outlives this call; its output is nobody's, or goes to a file. */
export function spawnDetached(
  dir: string,
  machine: Machine,
  command: GuestCommand,
  log?: string,
): ChildProcess {
  const out = log === undefined ? 'ignore' : openSync(log, 'a', 0o600)
  const child = spawnInGuest(dir, machine, command, { stdio: ['ignore', out, out], detached: true })
  child.unref()
  return child
}

/** Commands that run in the guest now, however they were started. */
export function keptProcesses(dir: string, name: string): readonly KeptProcess[] {
  const folder = join(vmDirOf(dir, name), 'procs')
  try {
    return readdirSync(folder)
      .flatMap((file) => readJson<KeptProcess | null>(join(folder, file), null) ?? [])
      .filter(({ host }) => isAlive(host))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** The number that the guest knows its process by. */
export async function guestPid(child: ChildProcess): Promise<number> {
  const parent = child.pid
  if (parent === undefined) throw new Failure('the guest process could not be started', 70)
  for (let round = 0; round < 2000; round += 1) {
    const [first] = childrenOf(parent)
    const status = first === undefined ? '' : readQuietly(`/proc/${first}/status`)
    const inside = /^NSpid:.*\s(\d+)$/m.exec(status)?.[1]
    if (inside !== undefined) return Number(inside)
    if (child.exitCode !== null || !lookUp(parent)) break
    pause(2)
  }
  return 0
}

export function childrenOf(pid: number): readonly number[] {
  return readQuietly(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

/** Every process below one, itself included, children first. */
export function treeOf(pid: number): readonly number[] {
  return [...childrenOf(pid).flatMap(treeOf), pid]
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    // It ended in the meantime.
    return ''
  }
}
