import { type FSWatcher, watch } from 'node:fs'
import { readJsonObject, writeDurable } from '../../state/durable-file.ts'
import type { StateRoot } from '../../state/root.ts'
import { withShortLock } from '../../state/short-lock.ts'
import { isAlive, ownIdentity, type ProcessIdentity } from '../../system/process-identity.ts'

/** Who supervises: an app that a person has open, or a process of its own that ends with its last agent. */
export type SupervisorKind = 'desktop' | 'serve' | 'detached'

/** `icebox/supervisor.json`: the one process that acts for the agents of this root, and how often that changed. */
export interface LeaseRecord {
  readonly generation: number
  readonly kind: SupervisorKind
  /** Null once it was given back. */
  readonly holder: (ProcessIdentity & { readonly nonce: string }) | null
  /** ISO 8601. */
  readonly since: string
}

/** The right to act. It may be lost at any moment, so it is asked for right before each act. */
export interface Lease {
  readonly generation: number
  /** One small file: true while nobody else has taken over. */
  holds(): Promise<boolean>
  /** Gives it back if `isDone` still says so, with nobody able to take or ask for it meanwhile. */
  release(isDone?: () => Promise<boolean>): Promise<boolean>
}

/** An open app goes before a detached process; nobody takes anything from an equal. */
const RANK: Readonly<Record<SupervisorKind, number>> = { desktop: 1, serve: 1, detached: 0 }

/** True when `kind` may take the lease from whoever has it. Pure. */
export function mayTake(kind: SupervisorKind, record: LeaseRecord | null, isHolderAlive: boolean): boolean {
  if (!record?.holder || !isHolderAlive) return true
  return RANK[kind] > RANK[record.kind]
}

function file(root: StateRoot): string {
  return root.path('icebox', 'supervisor.json')
}

function withLeaseLock<T>(root: StateRoot, run: () => Promise<T>): Promise<T> {
  return withShortLock(root.path('icebox', 'supervisor.lock'), run)
}

/** The record as it stands; null for none. A damaged one counts as none, but its generation is never used again. */
export async function readLease(root: StateRoot): Promise<LeaseRecord | null> {
  const read = await readJsonObject(file(root))
  if (read.kind !== 'ok') return null
  const { generation, kind, holder, since } = read.value as Partial<Record<keyof LeaseRecord, unknown>>
  if (typeof generation !== 'number') return null
  return {
    generation,
    kind: kind === 'desktop' || kind === 'serve' ? kind : 'detached',
    holder: isIdentity(holder) ? holder : null,
    since: typeof since === 'string' ? since : '',
  }
}

function isIdentity(value: unknown): value is NonNullable<LeaseRecord['holder']> {
  if (typeof value !== 'object' || value === null) return false
  const { pid, startTime, bootId, nonce } = value as Partial<Record<string, unknown>>
  return (
    typeof pid === 'number' &&
    typeof startTime === 'string' &&
    typeof bootId === 'string' &&
    typeof nonce === 'string'
  )
}

/** The living holder's record, or null. */
export async function leaseHolder(root: StateRoot): Promise<LeaseRecord | null> {
  const record = await readLease(root)
  return record?.holder && (await isAlive(record.holder)) ? record : null
}

/** As `leaseHolder`, with nobody able to give it back or take it at that moment. */
export function settledHolder(root: StateRoot): Promise<LeaseRecord | null> {
  return withLeaseLock(root, () => leaseHolder(root))
}

/** Takes the lease with a new generation; null when a living holder keeps it. */
export async function takeLease(root: StateRoot, kind: SupervisorKind): Promise<Lease | null> {
  const holder = { ...(await ownIdentity()), nonce: crypto.randomUUID() }
  const taken = await withLeaseLock(root, async () => {
    const known = await readLease(root)
    const isHolderAlive = known?.holder ? await isAlive(known.holder) : false
    if (!mayTake(kind, known, isHolderAlive)) return null
    // After a damaged file the clock is ahead of any count.
    const generation = known ? known.generation + 1 : Date.now()
    const record: LeaseRecord = { generation, kind, holder, since: new Date().toISOString() }
    await write(root, record)
    return record
  })
  return taken && openLease(root, taken, holder.nonce)
}

function openLease(root: StateRoot, record: LeaseRecord, nonce: string): Lease {
  const isMine = async () => {
    const now = await readLease(root)
    return now?.generation === record.generation && now.holder?.nonce === nonce
  }
  return {
    generation: record.generation,
    holds: isMine,
    release: (isDone) =>
      withLeaseLock(root, async () => {
        if (!(await isMine())) return true
        if (isDone && !(await isDone())) return false
        await write(root, { ...record, holder: null, since: new Date().toISOString() })
        return true
      }),
  }
}

async function write(root: StateRoot, record: LeaseRecord): Promise<void> {
  await writeDurable(file(root), `${JSON.stringify({ version: 1, ...record }, null, 2)}\n`)
}

/** Milliseconds between looks for a holder that died, which no file tells. */
const LOOK_MS = 10_000

/** Calls back whenever the lease may have changed hands, and now and then; ends with the signal. */
export function watchLease(root: StateRoot, onChange: () => void, signal: AbortSignal): void {
  if (signal.aborted) return
  const watcher = watchFolder(root.path('icebox'), onChange)
  const timer = setInterval(onChange, LOOK_MS)
  timer.unref()
  signal.addEventListener(
    'abort',
    () => {
      watcher?.close()
      clearInterval(timer)
    },
    { once: true },
  )
}

/** Null where the system has no watch left to give: the timer alone is slower, but it suffices. */
function watchFolder(folder: string, onChange: () => void): FSWatcher | null {
  try {
    const watcher = watch(folder, (_event, name) => {
      if (name === 'supervisor.json') onChange()
    })
    return watcher.on('error', () => onChange())
  } catch {
    return null
  }
}
