import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readText, writeDurable } from './durable-file.ts'
import { withShortLock } from './short-lock.ts'

/** Which names are in the keychain: asking it for a list would hand out the values too. */
export interface SecretNames {
  list(): Promise<readonly string[]>
  add(name: string): Promise<void>
  remove(name: string): Promise<void>
}

/** Names, one a line, in `<folder>/secret-names`. Never a value. */
export function createSecretNames(folder: string): SecretNames {
  const file = join(folder, 'secret-names')
  const list = async (): Promise<readonly string[]> =>
    ((await readText(file)) ?? '').split('\n').filter((name) => name !== '')
  const change = async (edit: (names: Set<string>) => void): Promise<void> => {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await withShortLock(join(folder, 'secrets.lock'), async () => {
      const names = new Set(await list())
      edit(names)
      await writeDurable(file, [...names].map((name) => `${name}\n`).join(''), 0o600)
    })
  }
  return {
    list,
    add: (name) => change((names) => names.add(name)),
    remove: async (name) => {
      if ((await list()).includes(name)) await change((names) => names.delete(name))
    },
  }
}
