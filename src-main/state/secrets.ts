import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { bottleError } from '../system/bottle-error.ts'
import { createFileSecrets } from './secret-file.ts'
import { type Keychain, macKeychain, secretService } from './secret-keychain.ts'
import { createSecretNames } from './secret-names.ts'
import type { SecretStore } from './secret-store.ts'

export type { SecretStore } from './secret-store.ts'

export interface SecretStoreOptions {
  readonly platform?: NodeJS.Platform
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * The operating system's keychain where it works: `security` on macOS, `secret-tool` with a session bus on Linux.
 * Else a file of mode 0600 in the user's configuration folder. Reads look at both, since a person may set a secret
 * over SSH, where no keychain answers, and use it at the desktop.
 */
export function createSecretStore(options: SecretStoreOptions = {}): SecretStore {
  const env = options.env ?? process.env
  const folder = secretsFolder(env)
  const file = createFileSecrets(folder)
  const names = createSecretNames(folder)
  let probe: Promise<Keychain | null> | undefined
  const keychain = (): Promise<Keychain | null> => {
    probe ??= (options.platform ?? process.platform) === 'darwin' ? macKeychain(env) : secretService(env)
    return probe
  }
  return {
    async get(name) {
      requireName(name)
      const found = await file.get(name)
      return found ?? (await (await keychain())?.get(name))
    },
    async set(name, value) {
      requireName(name)
      const chain = await keychain()
      if (!chain) return file.set(name, value)
      await chain.set(name, value)
      await names.add(name)
      // An older value in the file would go on winning.
      await file.remove(name)
    },
    async list() {
      return [...new Set([...(await file.list()), ...(await names.list())])].sort()
    },
    async remove(name) {
      requireName(name)
      const wasInFile = await file.remove(name)
      const wasInChain = (await (await keychain())?.remove(name)) ?? false
      await names.remove(name)
      return wasInFile || wasInChain
    },
  }
}

function secretsFolder(env: Readonly<Record<string, string | undefined>>): string {
  const configured = env.XDG_CONFIG_HOME
  // A relative path in XDG_CONFIG_HOME must be ignored, says its specification.
  if (configured && isAbsolute(configured)) return join(configured, 'icebox')
  return join(env.HOME || homedir(), '.config', 'icebox')
}

function requireName(name: string): void {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,199}$/.test(name)) return
  throw bottleError(
    'usage',
    'A secret is named like an environment variable: letters, digits and underscores.',
  )
}
