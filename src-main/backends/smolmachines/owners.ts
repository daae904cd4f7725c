import { mkdir, readdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { readJsonObject, removeDurable, writeDurable } from '../../state/durable-file.ts'
import { LABEL, labelOf } from '../labels.ts'
import { inBatches } from '../local/in-batches.ts'
import type { Machine } from './decode.ts'

/** Whom a machine belongs to. */
export interface Owner {
  readonly root: string
  readonly slug: string
  readonly runId: string
  readonly role: 'agent' | 'helper'
}

/** What this root has written down of a machine that it made. */
export interface OwnerRecord extends Owner {
  readonly name: string
  /** When it was written: before the machine was made. */
  readonly writtenAt: string
  /** The machine's own time, once it was made; another machine of that name has another. */
  readonly createdAt: string | null
}

/**
 * One small file per machine. Versions without labels have nothing else that tells whose a machine is, and runners
 * touch it when their agent ends, so that one folder watch tells of every run.
 */
export function recordsDir(home: string): string {
  return join(home, 'icebox', 'smolmachines')
}

export function recordFile(home: string, name: string): string {
  return join(recordsDir(home), `${name}.json`)
}

/** Comes before the machine itself: what a death leaves behind is then known to be ours. */
export async function writeOwner(home: string, record: OwnerRecord): Promise<void> {
  await mkdir(recordsDir(home), { recursive: true, mode: 0o700 })
  await writeDurable(recordFile(home, record.name), `${JSON.stringify({ version: 1, ...record }, null, 2)}\n`)
}

export async function removeOwner(home: string, name: string): Promise<void> {
  await removeDurable(recordFile(home, name))
}

/** Tells every watcher to look again. */
export async function touchOwner(home: string, name: string): Promise<void> {
  const now = new Date()
  // Without a record there is nobody to tell.
  await utimes(recordFile(home, name), now, now).catch(() => undefined)
}

/** All records of this root by machine name. */
export async function readOwners(home: string): Promise<ReadonlyMap<string, OwnerRecord>> {
  const files = await readdir(recordsDir(home)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [] as string[]
    throw error
  })
  const names = files.filter((file) => /^[^.].*\.json$/.test(file)).map((file) => file.slice(0, -5))
  const records = await inBatches(names, 32, (name) => readOwner(home, name))
  return new Map(records.filter((record) => record !== null).map((record) => [record.name, record]))
}

/** Null when there is none, or when it can't be read: then the machine is nobody's, and is left alone. */
export async function readOwner(home: string, name: string): Promise<OwnerRecord | null> {
  const read = await readJsonObject(recordFile(home, name))
  if (read.kind !== 'ok') return null
  const { root, slug, runId, role, writtenAt, createdAt } = read.value
  if (typeof root !== 'string' || typeof slug !== 'string' || typeof runId !== 'string') return null
  return {
    ...{ name, root, slug, runId },
    role: role === 'helper' ? 'helper' : 'agent',
    writtenAt: typeof writtenAt === 'string' ? writtenAt : '',
    createdAt: typeof createdAt === 'string' ? createdAt : null,
  }
}

/** Whose a machine is: its labels tell, else this root's record if it is about that very machine. Pure. */
export function ownerOf(machine: Machine, record: OwnerRecord | null | undefined): Owner | null {
  const root = labelOf(machine.labels, LABEL.root)
  if (root !== null) {
    return {
      root,
      slug: labelOf(machine.labels, LABEL.slug) ?? '',
      runId: labelOf(machine.labels, LABEL.run) ?? '',
      role: labelOf(machine.labels, LABEL.role) === 'helper' ? 'helper' : 'agent',
    }
  }
  return record && isAbout(machine, record) ? record : null
}

/** Somebody may have deleted our machine and made one of the same name. Times are whole seconds. */
function isAbout(machine: Machine, record: OwnerRecord): boolean {
  if (machine.createdAt === null) return true
  if (record.createdAt !== null) return record.createdAt === machine.createdAt
  return Date.parse(machine.createdAt) >= Math.floor(Date.parse(record.writtenAt) / 1000) * 1000
}
