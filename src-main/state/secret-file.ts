import { lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bottleError } from '../system/bottle-error.ts'
import { readText, writeDurable } from './durable-file.ts'
import type { SecretStore } from './secret-store.ts'
import { withShortLock } from './short-lock.ts'

/**
 * Secrets in `<folder>/secrets.json`, mode 0600 in a folder of mode 0700, written whole and atomically.
 * @throws BottleError `permission` when others may read the file or write the folder, `corrupt-state` when it is damaged.
 */
export function createFileSecrets(folder: string): SecretStore {
  const file = join(folder, 'secrets.json')

  const read = async (): Promise<ReadonlyMap<string, string>> => {
    await requirePrivate(folder, 0o022)
    await requirePrivate(file, 0o077)
    const text = await readText(file)
    return text === undefined ? new Map() : parse(file, text)
  }

  const change = async (edit: (values: Map<string, string>) => boolean): Promise<boolean> => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return withShortLock(join(folder, 'secrets.lock'), async () => {
      const values = new Map(await read())
      if (!edit(values)) return false
      await writeDurable(file, `${JSON.stringify(Object.fromEntries(values), null, 2)}\n`, 0o600)
      return true
    })
  }

  return {
    async get(name) {
      return (await read()).get(name)
    },
    async set(name, value) {
      await change((values) => {
        values.set(name, value)
        return true
      })
    },
    async list() {
      return [...(await read()).keys()].sort()
    },
    async remove(name) {
      // Without a look first, removing nothing would make a folder and take a lock.
      if (!(await read()).has(name)) return false
      return change((values) => values.delete(name))
    },
  }
}

/** Refuses what other users may use, what is another user's, and links, which may lead to either. */
async function requirePrivate(path: string, forbidden: number): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw bottleError('permission', `${path} can't be read.`, { cause: error, detail: error.code })
  })
  if (!found) return
  const owner = process.getuid?.()
  const isFolder = found.isDirectory()
  if (!isFolder && !found.isFile()) {
    throw bottleError('permission', `${path} is not a plain file or folder, so no secret is read from it.`)
  }
  if ((found.mode & forbidden) !== 0 || (owner !== undefined && found.uid !== owner)) {
    throw bottleError(
      'permission',
      `${path} is open to other users, so no secret is read from it. Mend it with: chmod ${isFolder ? '700' : '600'} ${path}`,
    )
  }
}

function parse(file: string, text: string): ReadonlyMap<string, string> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own words would quote the text.
    value = null
  }
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  const entries = isRecord ? Object.entries(value as Record<string, unknown>) : []
  if (!isRecord || entries.some(([, secret]) => typeof secret !== 'string')) {
    throw bottleError('corrupt-state', `${file} is damaged. Mend it, or remove it and set its secrets again.`)
  }
  return new Map(entries as [string, string][])
}
