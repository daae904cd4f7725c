import { randomBytes } from 'node:crypto'
import type { StateRoot } from '../../state/root.ts'
import { cacheFiles, hashOf } from './cache-files.ts'
import { chooseEvictions } from './choose-evictions.ts'
import { COLD, type EntryEvent, type EntryState, reduceEntry } from './entry-state.ts'
import { type DragSource, sourceOf } from './source.ts'
import type { DragKey, DragRecord, ReadyFile } from './types.ts'

/** Files that can be dragged out at once, kept across restarts and shared by the processes of one state root. */
export interface DragCache {
  /** The file of a key as it is now, with a token; null when it has to be made. */
  find(key: DragKey): Promise<ReadyFile | null>
  /** The task that makes the file, while there is one. */
  taskOf(key: DragKey): string | null
  begin(key: DragKey, taskId: string): void
  /** Takes over the file that the task made. `source` is what the snapshot was before the task began. */
  keep(key: DragKey, taskId: string, made: MadeFile): Promise<void>
  fail(key: DragKey, taskId: string): void
  /** The file that a token stands for. Asks no disk, so that a drag begins in the same turn. */
  take(token: string): TakenFile | null
  /** Notes that files were dragged: for an hour nothing removes them. */
  dragged(tokens: readonly string[]): Promise<void>
  /** Removes what is too old, too much, damaged, or no longer what its snapshot is. */
  sweep(): Promise<void>
  close(): Promise<void>
}

export interface MadeFile {
  readonly file: string
  readonly fileName: string
  readonly digest: string
  readonly source: DragSource
}

export interface TakenFile extends ReadyFile {
  /** When it was last seen on the disk, in milliseconds since 1970. */
  readonly seenAt: number
  /** Looks at the disk. */
  isThere(): Promise<boolean>
}

export interface DragCacheOptions {
  readonly root: StateRoot
  readonly maxBytes: () => Promise<number>
  readonly warn: (error: unknown) => void
  readonly now?: () => number
}

const HOUR = 3_600_000
const MAX_AGE_MS = 7 * 24 * HOUR
const DRAG_GRACE_MS = HOUR
const USE_GRACE_MS = 120_000
const SWEEP_EVERY_MS = HOUR / 6
/** Each look at a file would else write its record anew. */
const NOTE_USE_MS = 60_000
/** A token that nobody asked for again is worth nothing after this long. */
const TOKEN_MS = HOUR

interface Entry {
  readonly key: DragKey
  state: EntryState
  token: string | null
  seenAt: number
  /** When its record was last written. */
  notedAt: number
}

/** Opens the cache; what lies there from before is looked through in the background. */
export function openDragCache(options: DragCacheOptions): DragCache {
  const { root, warn } = options
  const now = options.now ?? Date.now
  const files = cacheFiles(root)
  const entries = new Map<string, Entry>()
  const tokens = new Map<string, Entry>()
  /** Changes of the disk, one after the other. */
  let queue: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work)
    queue = result.catch(() => undefined)
    return result
  }

  const entryOf = (key: DragKey): Entry => {
    const hash = hashOf(key)
    const known = entries.get(hash)
    if (known) return known
    const made: Entry = { key, state: COLD, token: null, seenAt: 0, notedAt: 0 }
    entries.set(hash, made)
    return made
  }
  const apply = (entry: Entry, event: EntryEvent): void => {
    entry.state = reduceEntry(entry.state, event)
    if (entry.state.state === 'ready' || entry.token === null) return
    tokens.delete(entry.token)
    entry.token = null
  }
  const drop = async (entry: Entry): Promise<void> => {
    apply(entry, { type: 'gone' })
    await files.remove(entry.key)
  }
  const recordOf = (entry: Entry): DragRecord | null =>
    entry.state.state === 'ready' ? entry.state.record : null
  const note = async (entry: Entry): Promise<void> => {
    const record = recordOf(entry)
    if (!record) return
    entry.notedAt = now()
    await files.writeRecord(record)
  }

  const readDisk = async (): Promise<void> => {
    const found = new Map((await files.readAll()).map((record) => [hashOf(record), record]))
    for (const [hash, entry] of entries) if (!found.has(hash)) apply(entry, { type: 'gone' })
    for (const record of found.values()) apply(entryOf(record), { type: 'found', record })
  }
  const isCurrent = async ({ slug, snapshot, source }: DragRecord): Promise<boolean> =>
    (await sourceOf(root, slug, snapshot))?.digest === source
  const sweepNow = async (): Promise<void> => {
    await readDisk()
    for (const entry of [...entries.values()]) {
      const record = recordOf(entry)
      if (record && !(await isCurrent(record))) await drop(entry)
    }
    const bounds = {
      now: now(),
      maxBytes: await options.maxBytes(),
      maxAgeMs: MAX_AGE_MS,
      dragGraceMs: DRAG_GRACE_MS,
      useGraceMs: USE_GRACE_MS,
    }
    const records = [...entries.values()].map(recordOf).filter((record) => record !== null)
    for (const record of chooseEvictions(records, bounds)) await drop(entryOf(record))
  }
  const sweep = (): Promise<void> => inTurn(sweepNow)
  const opened = sweep()
  opened.catch(warn)
  const timer = setInterval(() => void sweep().catch(warn), SWEEP_EVERY_MS).unref()

  const offer = (entry: Entry, record: DragRecord): ReadyFile => {
    entry.token ??= randomBytes(32).toString('base64url')
    tokens.set(entry.token, entry)
    const { fileName, bytes, fidelity } = record
    return { token: entry.token, file: files.pathOf(record), fileName, bytes, fidelity }
  }

  const look = async (key: DragKey): Promise<ReadyFile | null> => {
    const entry = entryOf(key)
    const record = recordOf(entry)
    if (!record) return null
    const isFirst = entry.seenAt === 0
    if (!(await isCurrent(record)) || !(await files.isWhole(record, isFirst))) {
      await drop(entry)
      return null
    }
    entry.seenAt = now()
    apply(entry, { type: 'used', at: now() })
    const used = recordOf(entry)
    if (!used) return null
    if (now() - entry.notedAt > NOTE_USE_MS) await note(entry)
    return offer(entry, used)
  }

  return {
    async find(key) {
      await opened.catch(() => undefined)
      return inTurn(() => look(key))
    },
    taskOf(key) {
      const { state } = entryOf(key)
      return state.state === 'preparing' ? state.taskId : null
    },
    begin: (key, taskId) => apply(entryOf(key), { type: 'begun', taskId }),
    async keep(key, taskId, { file, fileName, digest, source }) {
      await inTurn(async () => {
        const entry = entryOf(key)
        const record = await files.keep(file, {
          version: 1,
          ...key,
          fileName,
          digest,
          source: source.digest,
          fidelity: source.fidelity,
          usedAt: now(),
          draggedAt: null,
        })
        entry.seenAt = now()
        entry.notedAt = now()
        apply(entry, { type: 'made', taskId, record })
      })
      await sweep().catch(warn)
    },
    fail: (key, taskId) => apply(entryOf(key), { type: 'failed', taskId }),
    take(token) {
      const entry = tokens.get(token)
      const record = entry && recordOf(entry)
      if (!record || now() - entry.seenAt > TOKEN_MS) return null
      return { ...offer(entry, record), seenAt: entry.seenAt, isThere: () => files.isWhole(record, false) }
    },
    dragged: (all) =>
      inTurn(async () => {
        for (const token of all) {
          const entry = tokens.get(token)
          if (!entry) continue
          apply(entry, { type: 'dragged', at: now() })
          await note(entry)
        }
      }),
    sweep,
    async close() {
      clearInterval(timer)
      await queue
    },
  }
}
