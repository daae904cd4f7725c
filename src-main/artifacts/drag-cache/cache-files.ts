import { createHash } from 'node:crypto'
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fidelity } from '../../../src-preload/contract/index.ts'
import {
  isMissing,
  readJsonObject,
  removeDurable,
  syncFolder,
  writeDurable,
} from '../../state/durable-file.ts'
import type { StateRoot } from '../../state/root.ts'
import { isSlug } from '../../state/slug.ts'
import { isSnapshotId } from '../../state/snapshot-files.ts'
import type { DragKey, DragRecord } from './types.ts'

/** The files of the cache: `<hash>/<nice name>.bottle`, and `<hash>.json` beside the folder. */
export interface CacheFiles {
  pathOf(record: DragRecord): string
  /** Takes a finished file over and records it. The record comes last: without one, a file is nobody's. */
  keep(file: string, record: Omit<DragRecord, 'bytes' | 'mtimeMs'>): Promise<DragRecord>
  writeRecord(record: DragRecord): Promise<void>
  /** True while the file is what its record says; `isThorough` looks into it too. */
  isWhole(record: DragRecord, isThorough: boolean): Promise<boolean>
  remove(key: DragKey): Promise<void>
  /** All records on the disk; what no record names, or names wrongly, is removed. */
  readAll(): Promise<readonly DragRecord[]>
}

const HASH = /^[0-9a-f]{40}$/
const NAME = /^[\w.@ -]{1,240}\.bottle$/
const FIDELITIES: ReadonlySet<unknown> = new Set<Fidelity>(['files', 'files+volumes', 'files+memory'])
/** Between its rename and its record a file of another process looks like nobody's. */
const YOUNG_MS = 60_000
/** The index of an archive lies in its last part. */
const TAIL = 65_536

/** The name of a key's folder; other options, another file. Pure. */
export function hashOf({ slug, snapshot, scrub }: DragKey): string {
  return createHash('sha256')
    .update(JSON.stringify([slug, snapshot, scrub]))
    .digest('hex')
    .slice(0, 40)
}

/** The cache of a state root, at `<root>/icebox/drag`. */
export function cacheFiles(root: StateRoot): CacheFiles {
  const top = root.path('icebox', 'drag')
  const folderOf = (key: DragKey): string => join(top, hashOf(key))
  const recordOf = (key: DragKey): string => join(top, `${hashOf(key)}.json`)
  const pathOf = (record: DragRecord): string => join(folderOf(record), record.fileName)
  const removeByHash = async (hash: string): Promise<void> => {
    await removeDurable(join(top, `${hash}.json`))
    await rm(join(top, hash), { recursive: true, force: true })
  }
  const writeRecord = (record: DragRecord): Promise<void> =>
    writeDurable(recordOf(record), `${JSON.stringify(record)}\n`)

  const isWhole = async (record: DragRecord, isThorough: boolean): Promise<boolean> => {
    try {
      const found = await lstat(pathOf(record))
      if (!found.isFile() || found.size !== record.bytes || found.mtimeMs !== record.mtimeMs) return false
      return !isThorough || (await holdsDigest(pathOf(record), record))
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  return {
    pathOf,
    writeRecord,
    isWhole,
    async keep(file, record) {
      const folder = folderOf(record)
      // A page may be about to drag the file that lies there, so it is replaced and never missing.
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const target = join(folder, record.fileName)
      const { size, mtimeMs } = await lstat(file)
      await rename(file, target)
      await syncFolder(folder)
      const whole: DragRecord = { ...record, bytes: size, mtimeMs }
      await writeRecord(whole)
      return whole
    },
    remove: (key) => removeByHash(hashOf(key)),
    async readAll() {
      const names = await readdir(top).catch((error: unknown) => {
        if (isMissing(error)) return []
        throw error
      })
      const hashes = new Set(
        names.map((name) => name.replace(/\.json$/, '')).filter((name) => HASH.test(name)),
      )
      const records: DragRecord[] = []
      for (const hash of hashes) {
        const record = await readRecord(join(top, `${hash}.json`), hash)
        if (record && (await isWhole(record, false))) records.push(record)
        else if (!(await isYoung(join(top, hash)))) await removeByHash(hash)
      }
      return records
    },
  }
}

async function isYoung(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => null)
  return found !== null && Date.now() - found.mtimeMs < YOUNG_MS
}

async function holdsDigest(path: string, { bytes, digest }: DragRecord): Promise<boolean> {
  const handle = await open(path, 'r')
  try {
    const tail = Buffer.alloc(Math.min(TAIL, bytes))
    await handle.read(tail, 0, tail.length, bytes - tail.length)
    return tail.includes(digest)
  } finally {
    await handle.close()
  }
}

async function readRecord(path: string, hash: string): Promise<DragRecord | null> {
  const read = await readJsonObject(path)
  const record = read.kind === 'ok' ? parseRecord(read.value) : null
  return record && hashOf(record) === hash ? record : null
}

/** A record as it was written, or null: paths are made of what it says. Pure. */
export function parseRecord(value: Readonly<Record<string, unknown>>): DragRecord | null {
  const { version, slug, snapshot, scrub, fileName, bytes, mtimeMs } = value
  const { digest, source, fidelity, usedAt, draggedAt } = value
  const isKnown =
    version === 1 &&
    typeof slug === 'string' &&
    isSlug(slug) &&
    typeof snapshot === 'string' &&
    isSnapshotId(snapshot) &&
    (scrub === null || scrub === 'strip' || scrub === 'keep') &&
    typeof fileName === 'string' &&
    NAME.test(fileName) &&
    [bytes, mtimeMs, usedAt].every((each) => Number.isFinite(each)) &&
    (draggedAt === null || Number.isFinite(draggedAt)) &&
    FIDELITIES.has(fidelity) &&
    [digest, source].every((each) => typeof each === 'string' && each !== '')
  return isKnown ? (value as unknown as DragRecord) : null
}
