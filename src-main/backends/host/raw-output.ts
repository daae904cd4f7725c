import { spawn } from 'node:child_process'
import { bottleError } from '../../system/bottle-error.ts'

export interface RawOptions {
  readonly cwd: string
  /** Milliseconds. */
  readonly timeout: number
  readonly signal: AbortSignal
}

/**
 * Runs a program with an argument list and hands out its stdout as raw bytes while they come: file names are
 * bytes, and a listing may be larger than what is sensible to hold as text.
 * @throws BottleError `cancelled`, `timeout`, else `engine-failed` with the tail of stderr
 */
export async function rawOutput(
  file: string,
  args: readonly string[],
  options: RawOptions,
  onData: (chunk: Buffer) => void,
): Promise<void> {
  options.signal.throwIfAborted()
  const timeout = AbortSignal.timeout(options.timeout)
  const child = spawn(file, [...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([options.signal, timeout]),
    killSignal: 'SIGKILL',
  })
  let complaint = ''
  child.stdout.on('data', onData)
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000)
  })
  const code = await new Promise<number | null | Error>((resolve) => {
    child.once('error', resolve)
    child.once('close', resolve)
  })
  if (code === 0) return
  if (options.signal.aborted) throw bottleError('cancelled')
  if (timeout.aborted) throw bottleError('timeout', `${file} did not finish in ${options.timeout / 1000} s.`)
  const cause = code instanceof Error ? code : undefined
  throw bottleError('engine-failed', `${file} failed.`, { detail: complaint || cause?.message, cause })
}
