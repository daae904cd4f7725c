import { spawn } from 'node:child_process'
import { bottleError } from './bottle-error.ts'

export interface StreamOptions {
  /** The whole environment of the child. */
  readonly env: Readonly<Record<string, string>>
  /** Milliseconds; every child has one. */
  readonly timeout: number
  readonly signal: AbortSignal
}

const COMPLAINT_BYTES = 2000
const KILL_AFTER_MS = 5000

/** How a streamed program ended, when not with 0. */
export interface StreamFailure {
  readonly exitCode: number | null
  readonly stderr: string
}

/**
 * Runs a program with an argument list and hands out its stdout as it comes, with back-pressure. The child ends with
 * its reader. stderr is kept apart and goes to `failed`, which makes the error.
 * @throws BottleError `engine-missing`, `timeout`, `cancelled`, or what `failed` returns
 */
export async function* streamCommand(
  file: string,
  args: readonly string[],
  options: StreamOptions,
  failed: (failure: StreamFailure) => Error,
): AsyncGenerator<Uint8Array> {
  if (options.signal.aborted) throw bottleError('cancelled')
  const child = spawn(file, [...args], { env: { ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_BYTES)
  })
  const ended = new Promise<number | null | Error>((resolve) => {
    child.once('error', resolve)
    child.once('close', resolve)
  })
  let isLate = false
  const kill = (): void => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    const hard = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
    void ended.then(() => clearTimeout(hard))
  }
  const late = setTimeout(() => {
    isLate = true
    kill()
  }, options.timeout)
  options.signal.addEventListener('abort', kill)
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array
    const end = await ended
    if (options.signal.aborted) throw bottleError('cancelled')
    if (isLate) throw bottleError('timeout', `${file} did not finish in ${options.timeout / 1000} s.`)
    if (end instanceof Error) {
      const isMissing = (end as NodeJS.ErrnoException).code === 'ENOENT'
      throw bottleError(
        isMissing ? 'engine-missing' : 'engine-failed',
        isMissing ? `The program ${file} is not installed.` : `${file} could not be run.`,
        { detail: end.message, cause: end },
      )
    }
    if (end !== 0) throw failed({ exitCode: end, stderr: complaint })
  } finally {
    clearTimeout(late)
    options.signal.removeEventListener('abort', kill)
    kill()
    child.stdout.destroy()
    await ended
  }
}
