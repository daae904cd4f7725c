import { bottleError, isBottleError } from '../system/bottle-error.ts'
import { type CommandResult, runCommand } from '../system/run-command.ts'

/** A keychain that answered once. Values go in by standard input and are kept as base64, so that no byte is lost. */
export interface Keychain {
  get(name: string): Promise<string | undefined>
  set(name: string, value: string): Promise<void>
  /** False when there was none. */
  remove(name: string): Promise<boolean>
}

type Environment = Readonly<Record<string, string | undefined>>

const SERVICE = 'icebox'
const PREFIX = 'icebox-base64:'
const PROBE_MS = 3000
/** A locked keychain asks the person first. */
const ASK_MS = 120_000
/** `security -i` cuts a line at 4096 bytes. */
const MAC_VALUE_MAX = 2800
const MAC_NOT_FOUND = 44

function encode(value: string): string {
  return PREFIX + Buffer.from(value, 'utf8').toString('base64')
}

/** Takes plain values too: somebody may have stored one by hand. */
function decode(text: string): string {
  return text.startsWith(PREFIX) ? Buffer.from(text.slice(PREFIX.length), 'base64').toString('utf8') : text
}

function pick(env: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name]
      return value === undefined ? [] : [[name, value] as const]
    }),
  )
}

/** The login keychain through Apple's `security`, or null where it can't be run. */
export async function macKeychain(env: Environment): Promise<Keychain | null> {
  const run = (
    args: readonly string[],
    options: { input?: string; okCodes?: readonly number[]; timeout?: number } = {},
  ) =>
    runCommand('security', args, {
      timeout: ASK_MS,
      env: pick(env, ['PATH', 'HOME', 'USER', 'LANG']),
      ...options,
    })
  if (!(await answers(() => run(['default-keychain'], { timeout: PROBE_MS })))) return null
  return {
    async get(name) {
      const found = await run(['find-generic-password', '-s', SERVICE, '-a', name, '-w'], {
        okCodes: [0, MAC_NOT_FOUND],
      })
      return found.exitCode === 0 ? decode(found.stdout) : undefined
    },
    async set(name, value) {
      if (Buffer.byteLength(value) > MAC_VALUE_MAX) {
        throw bottleError(
          'unsupported',
          `The keychain takes at most ${MAC_VALUE_MAX} bytes; ${name} is longer.`,
        )
      }
      // Interactive mode reads the command from standard input, so the value is in no process list.
      const line = `add-generic-password -U -s ${SERVICE} -a ${name} -w ${encode(value)}\n`
      const done = await run(['-i'], { input: line })
      // In this mode a failed command does not always show in the exit code.
      if (done.stderr.includes('SecKeychain'))
        throw bottleError('permission', `The keychain did not take ${name}.`)
    },
    async remove(name) {
      const done = await run(['delete-generic-password', '-s', SERVICE, '-a', name], {
        okCodes: [0, MAC_NOT_FOUND],
      })
      return done.exitCode === 0
    },
  }
}

/** The desktop's secret service through `secret-tool`, or null where tool, session bus or service is absent. */
export async function secretService(env: Environment): Promise<Keychain | null> {
  if (!env.DBUS_SESSION_BUS_ADDRESS && !env.XDG_RUNTIME_DIR) return null
  const kept = pick(env, [
    'PATH',
    'HOME',
    'LANG',
    'DBUS_SESSION_BUS_ADDRESS',
    'XDG_RUNTIME_DIR',
    'DISPLAY',
    'WAYLAND_DISPLAY',
  ])
  const run = (args: readonly string[], options: { input?: string; timeout?: number } = {}) =>
    runCommand('secret-tool', args, { timeout: ASK_MS, env: kept, okCodes: [0, 1], ...options })
  const attributes = (name: string): readonly string[] => ['service', SERVICE, 'account', name]
  // "Not found" is exit code 1 without a word; a broken bus has something to say.
  const isBroken = (result: CommandResult): boolean => result.exitCode === 1 && result.stderr !== ''
  const hasAnswer = await answers(async () => {
    const probe = await run(['lookup', ...attributes('ICEBOX_PROBE')], { timeout: PROBE_MS })
    if (isBroken(probe)) throw bottleError('engine-failed')
  })
  if (!hasAnswer) return null
  const requireDone = (result: CommandResult, name: string): void => {
    if (isBroken(result)) {
      throw bottleError('permission', `The keychain refused ${name}.`, { detail: result.stderr.slice(-500) })
    }
  }
  return {
    async get(name) {
      const found = await run(['lookup', ...attributes(name)])
      requireDone(found, name)
      return found.exitCode === 0 ? decode(found.stdout) : undefined
    },
    async set(name, value) {
      const done = await run(['store', `--label=Icebox: ${name}`, ...attributes(name)], {
        input: encode(value),
      })
      if (done.exitCode !== 0) {
        throw bottleError('permission', `The keychain did not take ${name}.`, {
          detail: done.stderr.slice(-500),
        })
      }
    },
    async remove(name) {
      const found = await run(['lookup', ...attributes(name)])
      requireDone(found, name)
      if (found.exitCode !== 0) return false
      requireDone(await run(['clear', ...attributes(name)]), name)
      return true
    },
  }
}

/** A keychain that isn't there is an answer; only the person's own cancel is passed on. */
async function answers(probe: () => Promise<unknown>): Promise<boolean> {
  try {
    await probe()
    return true
  } catch (error) {
    if (isBottleError(error) && error.code !== 'cancelled') return false
    throw error
  }
}
