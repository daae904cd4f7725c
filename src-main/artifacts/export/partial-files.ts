import { createHash, randomBytes } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isMissing } from '../../state/durable-file.ts'
import { identityOf, ownIdentity } from '../../system/process-identity.ts'

const NAME = /^([0-9]+)-([0-9a-f]{8})-([0-9a-f]{8})-[0-9a-f]{8}$/
/** What another boot began may be another machine's, on a shared folder: it is left until nobody can be at it. */
const FOREIGN_MS = 86_400_000

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)

const prefixOf = (target: string): string => `${basename(target)}.partial-`

/** A new name beside the target, which tells what it is and who is at it. */
export async function partialName(target: string): Promise<string> {
  const { pid, bootId, startTime } = await ownIdentity()
  const owner = [pid, short(bootId), short(startTime), randomBytes(4).toString('hex')].join('-')
  return join(dirname(target), `${prefixOf(target)}${owner}`)
}

/** Removes what exports to the same target left when their process died. */
export async function sweepPartials(target: string): Promise<void> {
  const folder = dirname(target)
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    // A folder may be for writing only; what is missing is told by whoever opens the file.
    if (isMissing(error) || error.code === 'EACCES' || error.code === 'EPERM') return []
    throw error
  })
  const prefix = prefixOf(target)
  for (const name of names) {
    if (!name.startsWith(prefix)) continue
    const path = join(folder, name)
    if (await isAbandoned(path, NAME.exec(name.slice(prefix.length)))) await rm(path, { force: true })
  }
}

async function isAbandoned(path: string, owner: RegExpExecArray | null): Promise<boolean> {
  if (!owner) return false
  const [, pid, boot, start] = owner
  if (boot !== short((await ownIdentity()).bootId)) {
    const found = await stat(path).catch(() => null)
    return found !== null && Date.now() - found.mtimeMs > FOREIGN_MS
  }
  const living = await identityOf(Number(pid))
  return living === undefined || short(living.startTime) !== start
}
