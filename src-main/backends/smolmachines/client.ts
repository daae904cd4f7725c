import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import { type CommandResult, runCommand } from '../../system/run-command.ts'
import { findProgram, searchPath } from '../local/find-program.ts'
import { smolError } from './errors.ts'
import { isAtLeast, parseVersion, readFeatures, type SmolFeatures } from './features.ts'

/** Milliseconds for calls that only look. */
export const LOOK_MS = 30_000
/** For a machine to start, stop or go away. */
export const CHANGE_MS = 300_000
/** For what moves an image or a whole disk. */
export const COPY_MS = 2 * 3_600_000

export const INSTALL = 'curl -sSL https://smolmachines.com/install.sh | bash'

export interface SmolCall {
  readonly signal: AbortSignal
  /** Default `LOOK_MS`. */
  readonly timeout?: number
  readonly input?: string | Uint8Array | Readable
  /** Exit codes that are answers. Default: only 0. `any` for a guest's own code. */
  readonly okCodes?: readonly number[] | 'any'
}

/** The door to the `smolvm` program. */
export interface SmolClient {
  /** What every child of it gets: no secret is ever in it. */
  readonly env: Readonly<Record<string, string>>
  /** Absolute path of the program. @throws BottleError `engine-missing` */
  program(): Promise<string>
  /**
   * What the installed version can do; asked once per program.
   * @throws BottleError `engine-missing` also for another program of the same name
   */
  features(signal: AbortSignal): Promise<SmolFeatures>
  /**
   * Runs one call. `what` completes "smolvm could not …".
   * @throws BottleError as `smolError` tells it; `engine-missing`, `timeout`, `cancelled`
   */
  run(what: string, args: readonly string[], call: SmolCall): Promise<CommandResult>
}

export function createSmolClient(env: NodeJS.ProcessEnv): SmolClient {
  const childEnv = childEnvironment(env)
  const program = async (): Promise<string> => {
    const found = await findProgram('smolvm', searchPath(env))
    if (found) return found
    throw bottleError('engine-missing', `smolvm is not installed. Install it: ${INSTALL}`)
  }
  const run: SmolClient['run'] = async (what, args, call) =>
    runSmol(await program(), childEnv, what, args, call)
  return {
    env: childEnv,
    program,
    run,
    features: async (signal) => featuresOf(await program(), childEnv, signal),
  }
}

const KEPT =
  /^(PATH|HOME|TMPDIR|USER|LOGNAME|LANG|LC_\w+|XDG_\w+|SMOLVM_\w+|DOCKER_CONFIG|(https?|no|all)_proxy|SSL_CERT_\w+)$/i

/** Pure. */
export function childEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && KEPT.test(name)) kept[name] = value
  return { ...kept, PATH: searchPath(env) }
}

async function runSmol(
  program: string,
  env: Readonly<Record<string, string>>,
  what: string,
  args: readonly string[],
  call: SmolCall,
): Promise<CommandResult> {
  const result = await runCommand(program, args, {
    env,
    timeout: call.timeout ?? LOOK_MS,
    signal: call.signal,
    okCodes: ANY_CODE,
    ...(call.input === undefined ? {} : { input: call.input }),
  })
  const okCodes = call.okCodes ?? [0]
  if (okCodes === 'any' || okCodes.includes(result.exitCode)) return result
  throw smolError(what, result.exitCode, result.stderr)
}

const ANY_CODE = Array.from({ length: 256 }, (_, code) => code)

/** Features per program and the time it was written, so that an upgrade is seen. */
const known = new Map<string, Promise<SmolFeatures>>()

async function featuresOf(
  program: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<SmolFeatures> {
  const { mtimeMs, size } = await stat(program)
  const key = `${program} ${mtimeMs} ${size}`
  const asked = known.get(key) ?? askFeatures(program, env, signal)
  known.set(key, asked)
  try {
    return await asked
  } catch (thrown) {
    // A hang or an abort says nothing of the program.
    if (known.get(key) === asked) known.delete(key)
    if (!signal.aborted && isBottleError(thrown) && thrown.code === 'cancelled')
      return featuresOf(program, env, signal)
    throw thrown
  }
}

async function askFeatures(
  program: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<SmolFeatures> {
  const ask = (...args: string[]) =>
    runSmol(program, env, 'tell what it can do', args, { signal, okCodes: 'any' })
  const [told, machine] = await Promise.all([ask('--version'), ask('machine', '--help')])
  const version = told.exitCode === 0 ? parseVersion(told.stdout) : null
  if (!version || !isAtLeast(version, [1, 0, 0]) || machine.exitCode !== 0) {
    throw wrongProgram(program, told.exitCode === 0 ? told.stdout.trim() : '')
  }
  const [create, exec, pack] = await Promise.all([
    ask('machine', 'create', '--help'),
    ask('machine', 'exec', '--help'),
    ask('pack', 'create', '--help'),
  ])
  return readFeatures(version, {
    machine: machine.stdout,
    create: create.stdout,
    exec: exec.stdout,
    pack: pack.stdout,
  })
}

function wrongProgram(program: string, told: string): Error {
  const what = told ? ` (it says ${JSON.stringify(told.slice(0, 60))})` : ''
  return bottleError(
    'engine-missing',
    `${program} is the wrong smolvm${what}: bottles need smolvm 1.0 or newer of smol-machines. Install it: ${INSTALL}`,
  )
}
