import type { Readable } from 'node:stream'
import { bottleError } from './bottle-error.ts'

export interface CommandOptions {
  readonly cwd?: string
  /** The whole environment of the child; without it the child gets PATH, HOME, LANG and TMPDIR only. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array | Readable
  /** Milliseconds; every child has one. */
  readonly timeout: number
  readonly signal?: AbortSignal
  /** Exit codes that are answers, not failures; others throw. Default: only 0. */
  readonly okCodes?: readonly number[] | 'any'
}

export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

function plainEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TMPDIR']) {
    const value = process.env[name]
    if (value !== undefined) kept[name] = value
  }
  return kept
}

function inputOptions(input: CommandOptions['input']) {
  // As `input` a stream may be any; as `stdin` it would have to have a file behind it.
  return input === undefined ? { stdin: 'ignore' as const } : { input }
}

/**
 * Runs a program with an argument list (never a shell string) and waits for it.
 * The only door to execa, loaded on first use because it costs more than most commands.
 * @throws BottleError `engine-missing` when the program is absent, `timeout`, `cancelled`,
 *   else `engine-failed` with the tail of stderr as detail.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const { execa } = await import('execa')
  const result = await execa(file, [...args], {
    ...(options.cwd ? { cwd: options.cwd } : {}),
    env: { ...(options.env ?? plainEnvironment()) },
    extendEnv: false,
    ...inputOptions(options.input),
    timeout: options.timeout,
    ...(options.signal ? { cancelSignal: options.signal } : {}),
    reject: false,
    stripFinalNewline: true,
    maxBuffer: 64 * 1024 * 1024,
  })
  const stdout = String(result.stdout ?? '')
  const stderr = String(result.stderr ?? '')
  if (result.isCanceled) throw bottleError('cancelled')
  if (result.timedOut) throw bottleError('timeout', `${file} did not finish in ${options.timeout / 1000} s.`)
  if (result.failed && result.exitCode === undefined) {
    if (result.code === 'ENOENT') throw bottleError('engine-missing', `The program ${file} is not installed.`)
    throw bottleError('engine-failed', `${file} could not be run.`, {
      detail: result.shortMessage,
      cause: result,
    })
  }
  const exitCode = result.exitCode ?? 1
  const okCodes = options.okCodes ?? [0]
  if (okCodes !== 'any' && !okCodes.includes(exitCode)) {
    throw bottleError('engine-failed', `${file} failed with exit code ${exitCode}.`, {
      detail: stderr.slice(-2000),
    })
  }
  return { stdout, stderr, exitCode }
}
