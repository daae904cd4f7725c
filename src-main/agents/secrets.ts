import type { SecretStore } from '../state/secrets.ts'
import { bottleError } from '../system/bottle-error.ts'
import { isEnvName } from './names.ts'

/** Bytes of one value, and of all of them: what Linux passes to a program, with room for the rest. */
const VALUE_MAX = 100_000
const TOTAL_MAX = 500_000

export interface SecretSources {
  /** From the call itself. */
  readonly given: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Asked last, and only for what is still missing. */
  readonly store: Pick<SecretStore, 'get'>
  readonly allowMissing: boolean
}

/**
 * Finds the value of each name: the call, the environment, the keychain, in this order. An empty variable counts
 * as none. Runs before any side effect.
 * @throws BottleError `secret-missing` with all missing names, unless they are allowed; never with a value.
 */
export async function resolveSecrets(
  names: readonly string[],
  sources: SecretSources,
): Promise<{ readonly values: Record<string, string>; readonly missing: string[] }> {
  const values: [string, string][] = []
  const missing: string[] = []
  for (const name of new Set(names)) {
    if (!isEnvName(name)) throw bottleError('usage', 'A secret must be named like an environment variable.')
    const value = await findValue(name, sources)
    if (value === undefined) missing.push(name)
    else values.push([name, requireValue(name, value)])
  }
  if (missing.length > 0 && !sources.allowMissing) {
    const isOne = missing.length === 1
    throw bottleError(
      'secret-missing',
      `${isOne ? 'The secret' : 'The secrets'} ${missing.join(', ')} ${isOne ? 'has' : 'have'} no value. ` +
        `Set ${isOne ? 'it' : 'them'} with \`icebox secret set ${isOne ? missing[0] : 'NAME'}\` or in the environment, ` +
        'or go on without by --allow-missing-secrets.',
    )
  }
  return { values: Object.fromEntries(values), missing }
}

async function findValue(name: string, { given, env, store }: SecretSources): Promise<string | undefined> {
  if (Object.hasOwn(given, name)) return given[name]
  const fromEnv = Object.hasOwn(env, name) ? env[name] : undefined
  if (fromEnv !== undefined && fromEnv !== '') return fromEnv
  return store.get(name)
}

function requireValue(name: string, value: string): string {
  if (value.includes('\0')) throw bottleError('usage', `The secret ${name} holds a NUL character.`)
  if (Buffer.byteLength(value) > VALUE_MAX) {
    throw bottleError('usage', `The secret ${name} is longer than ${VALUE_MAX / 1000} kB.`)
  }
  return value
}

/**
 * Checks what a call gives for the sidecar named `forge`: names of variables, values on one line, bounded.
 * @throws BottleError `usage`; its text never holds a value, nor a bad name, which may be a value gone astray.
 */
export function validateForgeEnv(env: Readonly<Record<string, string>>): void {
  let total = 0
  for (const [index, [name, value]] of Object.entries(env).entries()) {
    if (!isEnvName(name)) {
      throw bottleError(
        'usage',
        `Forge variable ${index + 1} has no usable name: letters, digits and underscores.`,
      )
    }
    if (typeof value !== 'string') throw bottleError('usage', `The forge variable ${name} must be a text.`)
    if (/[\0\r\n]/.test(value)) {
      throw bottleError('usage', `The forge variable ${name} holds a line break or a NUL character.`)
    }
    const bytes = Buffer.byteLength(value)
    total += bytes
    if (bytes > VALUE_MAX) {
      throw bottleError('usage', `The forge variable ${name} is longer than ${VALUE_MAX / 1000} kB.`)
    }
  }
  if (total > TOTAL_MAX)
    throw bottleError('usage', `The forge variables are longer than ${TOTAL_MAX / 1000} kB together.`)
}
