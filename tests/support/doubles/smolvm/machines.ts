import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { initOf, isGuestRunning, stopGuest } from '../lib/guest.ts'
import { isAlive, type ProcessId } from '../lib/process-id.ts'
import { LockedError, readJson, takeLock, writeJson } from '../lib/state.ts'
import { type Context, guestOf } from './context.ts'
import { databaseLocked } from './failure.ts'

export interface ImageConfig {
  readonly env: readonly string[]
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly workdir: string
  readonly user: string
}

export interface MachineMount {
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
}

/** Where the files of a machine come from. */
export type MachineSource =
  | { readonly kind: 'bare' }
  | { readonly kind: 'registry'; readonly reference: string; readonly digest: string | null }
  | { readonly kind: 'archive'; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string }
  /** Its files were extracted at create; the artifact is named for repacking. */
  | { readonly kind: 'pack'; readonly path: string; readonly image: string | null }
  | { readonly kind: 'checkpoint'; readonly path: string; readonly image: string | null }

/** What is kept of a machine, one file each. */
export interface Machine {
  readonly name: string
  readonly state: 'created' | 'running' | 'stopped' | 'failed' | 'frozen' | 'paused'
  readonly source: MachineSource
  /** As the JSON tells it. */
  readonly image: string | null
  readonly cpus: number
  readonly mem: number
  readonly storageGb: number | null
  readonly overlayGb: number | null
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly env: readonly string[]
  readonly workdir: string | null
  readonly user: string | null
  readonly network: boolean
  readonly gpu: boolean
  readonly cuda: boolean
  readonly mounts: readonly MachineMount[]
  readonly ports: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly init: readonly string[]
  readonly secretRefs: Readonly<Record<string, { readonly source: 'env' | 'file'; readonly value: string }>>
  /** Whatever else forbids a checkpoint, in words. */
  readonly attachments: readonly string[]
  readonly createdAt: number
  /** True once it was started: its disks exist. */
  readonly hasDisks: boolean
  /** Known from the first start on. */
  readonly imageConfig: ImageConfig | null
  readonly forkable: boolean
  /** The machine whose disks it stands on. */
  readonly golden: string | null
  /** The next start goes on with what was saved instead of booting. */
  readonly isSaved: boolean
  /** Whose end is its end. */
  readonly owner: ProcessId | null
}

const hashOf = (name: string): string => createHash('sha256').update(name).digest('hex').slice(0, 16)

/** Where a machine's disks lie; told by `data-dir`. */
export const vmDirOf = (dir: string, name: string): string => join(dir, 'vms', hashOf(name))

const recordPath = (dir: string, name: string): string => join(dir, 'machines', `${hashOf(name)}.json`)

export function makeFolders(dir: string): void {
  for (const folder of ['machines', 'vms', 'archives', 'cache'])
    mkdirSync(join(dir, folder), { recursive: true })
}

export function findMachine(dir: string, name: string): Machine | null {
  return readJson<Machine | null>(recordPath(dir, name), null)
}

export function allMachines(dir: string): readonly Machine[] {
  return readdirSync(join(dir, 'machines'))
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => readJson<Machine | null>(join(dir, 'machines', file), null) ?? [])
    .toSorted((one, two) => (one.name < two.name ? -1 : 1))
}

export function writeMachine(dir: string, machine: Machine): Machine {
  writeJson(recordPath(dir, machine.name), machine)
  return machine
}

/** The machine with these changes, kept. */
export function changeMachine(dir: string, machine: Machine, changes: Partial<Machine>): Machine {
  return writeMachine(dir, { ...machine, ...changes })
}

/** Removes disks first, so that a failed removal stays visible. */
export function forgetMachine(dir: string, name: string): void {
  rmSync(vmDirOf(dir, name), { recursive: true, force: true })
  rmSync(recordPath(dir, name), { force: true })
}

/** Keeps two calls from changing one machine at the same time. */
export async function holdingMachine<T>(dir: string, name: string, work: () => Promise<T>): Promise<T> {
  const release = takeLock(`${recordPath(dir, name)}.lock`)
  try {
    return await work()
  } finally {
    release()
  }
}

/**
 * Only one call creates at a time. Versions that lose such races say so at once, the others wait.
 * @throws Failure `database is locked`
 */
export async function holdingCreates<T>(context: Context, work: () => Promise<T>): Promise<T> {
  let release: () => void
  try {
    release = takeLock(join(context.dir, 'create.lock'), context.features.losesCreateRaces ? 0 : 60_000)
  } catch (error) {
    throw error instanceof LockedError ? databaseLocked() : error
  }
  try {
    return await work()
  } finally {
    release()
  }
}

export type ToldState = Machine['state'] | 'unreachable'

/** The state as it is now: a machine whose process is gone has stopped, whatever was kept. */
export function stateOf(context: Context, machine: Machine): ToldState {
  if (machine.state !== 'running' && machine.state !== 'frozen') return machine.state
  if (!isGuestRunning(guestOf(context.dir, vmDirOf(context.dir, machine.name)))) return 'stopped'
  if (machine.state === 'running' && context.unreachable.has(machine.name)) return 'unreachable'
  return machine.state
}

export function pidOf(dir: string, name: string): number | null {
  const guest = guestOf(dir, vmDirOf(dir, name))
  return isGuestRunning(guest) ? (initOf(guest)?.pid ?? null) : null
}

/** Machines that stand on this one's disks. */
export function clonesOf(dir: string, name: string): readonly Machine[] {
  return allMachines(dir).filter(({ golden }) => golden === name)
}

/** Every `machine` command begins by removing what a killed `run` left. */
export function sweepOrphans(dir: string): void {
  for (const machine of allMachines(dir)) {
    if (!machine.owner || isAlive(machine.owner)) continue
    stopGuest(guestOf(dir, vmDirOf(dir, machine.name)), { graceMs: 0 })
    forgetMachine(dir, machine.name)
  }
}
