import { randomUUID } from 'node:crypto'
import { link, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { bottleError } from '../system/bottle-error.ts'
import { isAlive, ownIdentity, type ProcessIdentity } from '../system/process-identity.ts'
import { readJsonObject } from './durable-file.ts'
import type { StateRoot } from './root.ts'

/** Who holds a lock, and for what; readable by everybody. */
export interface LockHolder extends ProcessIdentity {
  readonly token: string
  readonly operation: string
  /** ISO 8601. */
  readonly since: string
}

export interface LockOptions {
  readonly operation: string
  /** Milliseconds to wait for another holder before `busy`. */
  readonly waitMs?: number
  readonly signal?: AbortSignal
}

const RETRY_MS = 40
/** A lock file is complete from its first moment, so one that can't be read for this long is a ruin. */
const UNREADABLE_MS = 5000

function folder(root: StateRoot): string {
  return root.path('icebox', 'locks')
}

function lockFile(root: StateRoot, name: string): string {
  return root.path('icebox', 'locks', `${name}.lock`)
}

async function readHolder(path: string): Promise<LockHolder | null> {
  const read = await readJsonObject(path)
  return read.kind === 'ok' ? (read.value as unknown as LockHolder) : null
}

/** The living holder of a lock, or null. Takes nothing. */
export async function lockHolder(root: StateRoot, name: string): Promise<LockHolder | null> {
  const holder = await readHolder(lockFile(root, name))
  return holder && (await isAlive(holder)) ? holder : null
}

/** Creates the file with its whole content in one step, so that nobody ever reads half a holder. */
async function tryCreate(path: string, holder: LockHolder): Promise<boolean> {
  const temp = `${path}.${holder.token}.tmp`
  try {
    await writeFile(temp, JSON.stringify(holder), { mode: 0o600 })
    await link(temp, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temp, { force: true })
  }
}

/** True when the holder is dead, or when a power loss left a file without a holder. */
async function isAbandoned(path: string): Promise<boolean> {
  const holder = await readHolder(path)
  if (holder) return !(await isAlive(holder))
  const found = await stat(path).catch(() => null)
  // Either way, since a clock that was set back puts the file into the future.
  return found !== null && Math.abs(Date.now() - found.mtimeMs) > UNREADABLE_MS
}

/**
 * Removes the lock of a dead holder. Two rescuers must not both do so, or the slower one would remove the
 * lock that a third process has just taken: each leaves a claim and goes on only if it sees no other living one.
 */
async function removeDead(root: StateRoot, name: string, own: LockHolder): Promise<void> {
  const prefix = `${name}.claim.`
  const claim = root.path('icebox', 'locks', `${prefix}${own.token}`)
  // In one step: a claim that another rescuer reads half-written would count for nothing.
  await tryCreate(claim, own)
  try {
    for (const entry of await readdir(folder(root))) {
      const isClaim = entry.startsWith(prefix)
      const isTemp = entry.startsWith(`${name}.`) && entry.endsWith('.tmp')
      if ((!isClaim && !isTemp) || entry.includes(own.token)) continue
      const path = root.path('icebox', 'locks', entry)
      if (await isAbandoned(path)) await rm(path, { force: true })
      else if (isClaim && !isTemp) return
    }
    if (await isAbandoned(lockFile(root, name))) await rm(lockFile(root, name), { force: true })
  } finally {
    await rm(claim, { force: true })
  }
}

/**
 * Takes a lock across processes and returns its release. It is taken over only from a dead holder, told by pid,
 * start time and boot id, so that a sleeping laptop loses nothing.
 * @throws BottleError `busy` with the holder's operation, time and pid; `cancelled` when the signal aborts.
 */
export async function takeLock(
  root: StateRoot,
  name: string,
  options: LockOptions,
): Promise<() => Promise<void>> {
  const path = lockFile(root, name)
  const own: LockHolder = {
    ...(await ownIdentity()),
    token: randomUUID(),
    operation: options.operation,
    since: new Date().toISOString(),
  }
  await mkdir(folder(root), { recursive: true, mode: 0o700 })
  const deadline = Date.now() + (options.waitMs ?? 5000)
  for (;;) {
    if (options.signal?.aborted) throw bottleError('cancelled', undefined, { slug: name })
    if (await tryCreate(path, own)) break
    if (await isAbandoned(path)) {
      await removeDead(root, name, own)
      if (await tryCreate(path, own)) break
    }
    if (Date.now() >= deadline) throw busy(name, await readHolder(path))
    await delay(RETRY_MS * (0.5 + Math.random()))
  }
  return async () => {
    const holder = await readHolder(path)
    if (holder?.token === own.token) await rm(path, { force: true })
  }
}

function busy(name: string, holder: LockHolder | null): Error {
  const what = holder
    ? `${holder.operation} in progress since ${holder.since} by pid ${holder.pid}`
    : 'another process is about to take its turn'
  return bottleError('busy', `${name}: ${what}.`, { slug: name })
}

/** Runs with the lock held, and releases it whatever happens. */
export async function withLock<T>(
  root: StateRoot,
  name: string,
  options: LockOptions,
  run: () => Promise<T>,
): Promise<T> {
  const release = await takeLock(root, name, options)
  try {
    return await run()
  } finally {
    await release()
  }
}
