import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { bottleError } from '../system/bottle-error.ts'
import { isAlive, ownIdentity, type ProcessIdentity } from '../system/process-identity.ts'
import { createDurable, readText } from './durable-file.ts'

const RETRY_MS = 20
const WAIT_MS = 5000

/**
 * Runs a write of a few milliseconds while no other process does the same: a file that only one can create.
 * A dead holder's file is taken over.
 * @throws BottleError `busy` when a living process holds it for five seconds.
 */
export async function withShortLock<T>(file: string, run: () => Promise<T>): Promise<T> {
  const mine = JSON.stringify({ ...(await ownIdentity()), nonce: randomUUID() })
  const deadline = Date.now() + WAIT_MS
  while (!(await createDurable(file, mine))) {
    if (await removeIfDead(file)) continue
    if (Date.now() > deadline)
      throw bottleError('busy', `Another program holds ${file}. Try again in a moment.`)
    await delay(RETRY_MS)
  }
  try {
    return await run()
  } finally {
    if ((await readText(file)) === mine) await rm(file, { force: true })
  }
}

async function removeIfDead(file: string): Promise<boolean> {
  const seen = await readText(file)
  if (seen === undefined) return true
  const holder = parseIdentity(seen)
  if (holder && (await isAlive(holder))) return false
  // Moved aside first: whoever wins the move decides, and a lock that was renewed meanwhile is put back.
  const aside = `${file}.${randomUUID()}`
  try {
    await rename(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw error
  }
  try {
    if ((await readFile(aside, 'utf8')) !== seen) {
      await link(aside, file).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error
      })
    }
  } finally {
    await rm(aside, { force: true })
  }
  return true
}

function parseIdentity(text: string): ProcessIdentity | null {
  try {
    const { pid, startTime, bootId } = JSON.parse(text) as Partial<ProcessIdentity>
    if (typeof pid === 'number' && typeof startTime === 'string' && typeof bootId === 'string') {
      return { pid, startTime, bootId }
    }
    return null
  } catch {
    // Created whole by a link, so damaged text is nobody's lock.
    return null
  }
}
