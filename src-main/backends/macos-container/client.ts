import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { bottleError } from '../../system/bottle-error.ts'
import { type CommandResult, runCommand } from '../../system/run-command.ts'
import { streamCommand } from '../../system/stream-command.ts'
import { findProgram, searchPath } from '../local/find-program.ts'
import { callError, missingProgram } from './errors.ts'
import { type Gates, gatesOf, OLDEST, parseVersion, showVersion, type Version } from './versions.ts'

export interface CallOptions {
  /** Milliseconds; by verb when left out. */
  readonly timeout?: number
  readonly input?: string | Uint8Array | Readable
  /** Exit codes that are answers, not failures. Default: only 0. */
  readonly okCodes?: readonly number[] | 'any'
  /**
   * Folder for what the program writes on the way, on the volume of its result: it makes whole tars there, and leaves
   * them behind when it is killed. The caller removes it.
   */
  readonly tempDir?: string
}

/** The door to the `container` program: argument lists in, text or JSON out, every call bounded. */
export interface ContainerClient {
  /** The whole environment of the program; holds no secret. */
  readonly env: Readonly<Record<string, string>>
  /** Absolute path; null when it is not on the PATH. Costs no process. */
  program(): Promise<string | null>
  /** Of the program that is there; asked once per program. @throws BottleError `engine-missing`, `engine-failed` */
  version(signal: AbortSignal): Promise<Version>
  gates(signal: AbortSignal): Promise<Gates>
  /** Runs one verb. stdout and stderr stay apart. @throws BottleError as `errors.ts` maps what the program says */
  run(args: readonly string[], signal: AbortSignal, options?: CallOptions): Promise<CommandResult>
  /** As `run`; the parsed JSON of stdout, nothing else. */
  json(args: readonly string[], signal: AbortSignal, options?: CallOptions): Promise<unknown>
  /** Runs one verb and hands out its stdout as it comes. */
  stream(args: readonly string[], signal: AbortSignal, timeout?: number): AsyncGenerator<Uint8Array>
}

const SECOND = 1000
const HOUR = 3600 * SECOND
/** What may move much data, or wait for a network, gets hours; the rest answers soon or not at all. */
const TIMEOUTS: Readonly<Record<string, number>> = {
  create: 120 * SECOND,
  start: 120 * SECOND,
  stop: 90 * SECOND,
  delete: 60 * SECOND,
  build: 4 * HOUR,
  export: 12 * HOUR,
  'image pull': 4 * HOUR,
  'image load': 12 * HOUR,
  'image save': 12 * HOUR,
  'image delete': 120 * SECOND,
  'system start': 600 * SECOND,
}
const SHORT = 30 * SECOND
const GROUPS: ReadonlySet<string> = new Set(['image', 'system', 'network', 'volume', 'builder'])

/** Pure: the verb in an argument list, as people say it. */
export function verbOf(args: readonly string[]): string {
  const [first = '', second = ''] = args
  return GROUPS.has(first) ? `${first} ${second}` : first
}

/** Pure: what of our environment the program gets; only what it needs, so that no secret is handed on. */
export function clientEnvironment(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const kept: Record<string, string> = { PATH: searchPath(env) }
  const names = new Set(['HOME', 'TMPDIR', 'USER', 'LOGNAME', 'LANG', 'LC_ALL'])
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (names.has(name) || name.startsWith('CONTAINER_'))) kept[name] = value
  }
  return kept
}

/** By program and its time of change: an upgrade while Icebox runs is noticed. */
const versions = new Map<string, Promise<Version>>()

/** Cheap: nothing is looked at before the first call. */
export function createClient(environment: NodeJS.ProcessEnv): ContainerClient {
  const env = clientEnvironment(environment)
  const program = async () => (await findProgram('container', env.PATH ?? '')) ?? null
  const requireProgram = async (): Promise<string> => {
    const path = await program()
    if (!path) throw missingProgram()
    return path
  }
  const version = async (signal: AbortSignal): Promise<Version> => {
    signal.throwIfAborted()
    const path = await requireProgram()
    const { mtimeMs, size } = await stat(path)
    const key = `${path} ${mtimeMs} ${size}`
    const known = versions.get(key) ?? askVersion(path, env)
    versions.set(key, known)
    // An answer that did not come is asked for again.
    known.catch(() => versions.delete(key))
    return known
  }
  const run = async (args: readonly string[], signal: AbortSignal, options: CallOptions = {}) => {
    const { okCodes = [0], input, tempDir } = options
    const verb = verbOf(args)
    const result = await runCommand(await requireProgram(), args, {
      env: tempDir === undefined ? env : { ...env, TMPDIR: tempDir },
      timeout: options.timeout ?? TIMEOUTS[verb] ?? SHORT,
      signal,
      okCodes: 'any',
      ...(input === undefined ? {} : { input }),
    })
    if (okCodes === 'any' || okCodes.includes(result.exitCode)) return result
    throw callError({ verb, ...result })
  }
  return {
    env,
    program,
    version,
    gates: async (signal) => gatesOf(await version(signal)),
    run,
    json: async (args, signal, options) => parseAnswer(args, (await run(args, signal, options)).stdout),
    stream: async function* (args, signal, timeout) {
      const verb = verbOf(args)
      const limits = { env, timeout: timeout ?? TIMEOUTS[verb] ?? SHORT, signal }
      yield* streamCommand(await requireProgram(), args, limits, (failure) => callError({ verb, ...failure }))
    },
  }
}

// Without a caller's signal: the answer is shared by all.
async function askVersion(path: string, env: Readonly<Record<string, string>>): Promise<Version> {
  const { stdout } = await runCommand(path, ['--version'], { env, timeout: SHORT })
  const version = parseVersion(stdout)
  if (version) return version
  throw bottleError('engine-missing', `${path} is another program than Apple's container.`, {
    detail: stdout.slice(0, 200),
  })
}

/** Pure. @throws BottleError when the program printed something else than JSON */
function parseAnswer(args: readonly string[], text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw bottleError('engine-failed', `container ${verbOf(args)} gave an answer that can't be read.`, {
      detail: text.slice(0, 500),
      cause,
    })
  }
}

/** @throws BottleError `unsupported` for a release that can't freeze */
export async function requireRelease(client: ContainerClient, signal: AbortSignal): Promise<Gates> {
  const version = await client.version(signal)
  const gates = gatesOf(version)
  if (gates.exportsTar) return gates
  throw bottleError(
    'unsupported',
    `container ${showVersion(version)} can't freeze. Icebox needs ${OLDEST} or newer.`,
  )
}
