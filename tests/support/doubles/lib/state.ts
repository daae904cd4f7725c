import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { isAlive, type ProcessId, pause, self } from './process-id.ts'

/** Reads a JSON file, or the fallback when it isn't there. */
export function readJson<T>(path: string, fallback: T): T {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return fallback
    throw error
  }
  return JSON.parse(text) as T
}

/** Replaces a JSON file as a whole: a reader sees the old or the new one, also after a crash in between. */
export function writeJson(path: string, value: unknown): void {
  const temp = `${path}.${process.pid}.tmp`
  writeFileSync(temp, JSON.stringify(value), { mode: 0o600 })
  renameSync(temp, path)
}

export class LockedError extends Error {}

/** Holds a lock file while `work` runs. The lock of a process that died is taken over. */
export function withLock<T>(path: string, work: () => T, waitMs = 60_000): T {
  const release = takeLock(path, waitMs)
  try {
    return work()
  } finally {
    release()
  }
}

/** Takes a lock file and returns how to give it back. @throws LockedError when it is held for longer than `waitMs` */
export function takeLock(path: string, waitMs = 60_000): () => void {
  const temp = `${path}.${process.pid}.want`
  writeFileSync(temp, JSON.stringify(self()))
  const until = Date.now() + waitMs
  try {
    for (;;) {
      try {
        // A link appears with its content, so that nobody ever reads a lock without its holder.
        linkSync(temp, path)
        return () => rmSync(path, { force: true })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = readJson<ProcessId | null>(path, null)
      if (holder && !isAlive(holder)) takeOver(path, holder)
      else if (Date.now() >= until) throw new LockedError(`${path} is locked`)
      else pause(5)
    }
  } finally {
    rmSync(temp, { force: true })
  }
}

/** Of several that find a dead holder one renames the file away; what it then holds is looked at once more. */
function takeOver(path: string, dead: ProcessId): void {
  const aside = `${path}.${process.pid}.dead`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const found = readJson<ProcessId | null>(aside, null)
  if (found && (found.pid !== dead.pid || found.start !== dead.start) && isAlive(found)) linkSync(aside, path)
  unlinkSync(aside)
}
