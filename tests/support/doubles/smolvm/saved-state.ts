import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { freezeGuest, mustRun, whileFrozen } from '../lib/guest.ts'
import { lookUp, pause } from '../lib/process-id.ts'
import { copyRoot } from '../lib/root-file-system.ts'
import { readJson, writeJson } from '../lib/state.ts'
import { type Context, guestOf } from './context.ts'
import { childrenOf, type KeptProcess, keptProcesses, liveRoot, spawnDetached } from './guest-run.ts'
import { type Machine, vmDirOf } from './machines.ts'

/** Memory file systems of a guest, which are on no disk. */
const IN_MEMORY: readonly (readonly [string, string])[] = [
  ['tmp', 'tmp'],
  ['run', 'run'],
  ['shm', 'dev/shm'],
]

/**
 * Everything of a running machine at one instant, as a folder: `rootfs`, `storage`, `memory/{tmp,run,shm}` and
 * `processes.json`. What a process holds in its own memory can't be kept here; the commands that ran are, and a
 * restored machine starts them again. `take` runs while the guest stands still.
 */
export function holdStill<T>(
  context: Context,
  machine: Machine,
  take: () => T,
  options: { readonly stays?: boolean } = {},
): T {
  const guest = guestOf(context.dir, vmDirOf(context.dir, machine.name))
  if (!options.stays) return whileFrozen(guest, take)
  freezeGuest(guest)
  return take()
}

/** Copies memory and processes of a guest that stands still into `to`. */
export function saveMemory(context: Context, machine: Machine, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 })
  const root = liveRoot(context.dir, machine.name)
  for (const [name, path] of IN_MEMORY) mustRun('cp', ['-a', '-T', join(root, path), join(to, name)])
  writeJson(join(to, 'processes.json'), keptProcesses(context.dir, machine.name))
}

/** Copies the disks of a guest that stands still, or of a stopped machine. */
export function copyDisks(context: Context, machine: Machine, to: string): void {
  const vmDir = vmDirOf(context.dir, machine.name)
  mkdirSync(to, { recursive: true })
  copyRoot(join(vmDir, 'rootfs'), join(to, 'rootfs'))
  if (existsSync(join(vmDir, 'storage'))) copyRoot(join(vmDir, 'storage'), join(to, 'storage'))
}

export const savedDir = (dir: string, name: string): string => join(vmDirOf(dir, name), 'saved')

/** Milliseconds in which a command that was started again comes to wait for something, as it did when it was saved. */
const SETTLE_MS = 10_000

/**
 * Real memory brings back processes in the middle of what they did. One that begins anew has to have it behind it before
 * anybody else acts in the guest: else it takes what is not meant for it.
 */
function awaitSettled({ pid }: ChildProcess): void {
  const until = Date.now() + SETTLE_MS
  const stateOf = (id: number | undefined) => (id === undefined ? undefined : lookUp(id)?.state)
  for (let looks = 0; looks < 2 && Date.now() < until; pause(2)) {
    if (pid === undefined || [undefined, 'Z', 'X'].includes(stateOf(pid))) return
    looks = stateOf(childrenOf(pid)[0]) === 'S' ? looks + 1 : 0
  }
}

/** Puts saved memory into a guest that has just booted, and starts again what ran in it. */
export function reviveSaved(context: Context, machine: Machine): void {
  const from = savedDir(context.dir, machine.name)
  const root = liveRoot(context.dir, machine.name)
  for (const [name, path] of IN_MEMORY) mustRun('cp', ['-a', '-T', join(from, name), join(root, path)])
  const revived = readJson<readonly KeptProcess[]>(join(from, 'processes.json'), []).map(({ command }) =>
    spawnDetached(context.dir, machine, command),
  )
  for (const child of revived) awaitSettled(child)
  rmSync(from, { recursive: true, force: true })
}
