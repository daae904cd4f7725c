import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { bottleError } from '../../../system/bottle-error.ts'
import { runCommand } from '../../../system/run-command.ts'
import { findProgram, searchPath } from '../../local/find-program.ts'

/** A `tar` that keeps everything a tree has. BusyBox's does not. */
export interface TarProgram {
  readonly kind: 'gnu' | 'bsd'
  readonly path: string
}

/** Packing may take hours on a slow disk, but not for ever. */
const TAR_MS = 12 * 3_600_000
const PROBE_MS = 10_000

const found = new Map<string, Promise<TarProgram | null>>()

/** The system's tar; looked for once per search path. Null when there is none that would do. */
export function findTar(env: NodeJS.ProcessEnv): Promise<TarProgram | null> {
  const path = searchPath(env)
  const known = found.get(path) ?? probe(path)
  found.set(path, known)
  return known
}

async function probe(searched: string): Promise<TarProgram | null> {
  let second: TarProgram | null = null
  for (const name of ['tar', 'gtar', 'bsdtar']) {
    const path = await findProgram(name, searched)
    if (!path) continue
    const options = { timeout: PROBE_MS, okCodes: [0, 1] }
    const told = await runCommand(path, ['--version'], options).catch(() => null)
    if (told?.stdout.includes('GNU tar')) return { kind: 'gnu', path }
    if (told?.stdout.startsWith('bsdtar')) second ??= { kind: 'bsd', path }
  }
  return second
}

interface Work {
  readonly args: readonly string[]
  readonly cwd: string
  readonly signal: AbortSignal
}

/** In the C locale names are bytes to GNU's tar; BSD's refuses there whatever is not ASCII. */
function localeOf({ kind }: TarProgram): string {
  if (kind === 'gnu') return 'C'
  return process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'
}

/** Starts tar; it ends with the signal, and never outlives its reader. */
function start(program: TarProgram, work: Work) {
  work.signal.throwIfAborted()
  const timeout = AbortSignal.timeout(TAR_MS)
  const child = spawn(program.path, [...work.args], {
    cwd: work.cwd,
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: localeOf(program) },
    stdio: ['pipe', 'pipe', 'pipe'],
    signal: AbortSignal.any([work.signal, timeout]),
    killSignal: 'SIGKILL',
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000)
  })
  const ended = new Promise<number | null | Error>((resolve) => {
    child.once('error', resolve)
    child.once('close', resolve)
  })
  return {
    child,
    async kill(): Promise<void> {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
      const closed = once(child, 'close')
      child.kill('SIGKILL')
      await closed.catch(() => undefined)
    },
    /** @throws BottleError unless tar ended well */
    async settle(): Promise<void> {
      const code = await ended
      if (code === 0) return
      if (work.signal.aborted) throw bottleError('cancelled')
      if (timeout.aborted) throw bottleError('timeout', 'tar did not finish in 12 hours.')
      if (/No space left|quota exceeded/i.test(complaint)) {
        throw bottleError('disk-full', 'The disk is full, so the files could not be unpacked.', {
          detail: complaint,
        })
      }
      const cause = code instanceof Error ? code : undefined
      throw bottleError('engine-failed', 'tar failed.', { detail: complaint || cause?.message, cause })
    },
  }
}

/** What tar writes to its output, given `list` as its input. Leaving early ends it. */
export async function* tarOutput(
  program: TarProgram,
  work: Work & { readonly list: Iterable<Uint8Array> },
): AsyncGenerator<Uint8Array> {
  const running = start(program, work)
  // A tar that ends early closes its input; its exit tells why.
  const feeding = pipeline(work.list, running.child.stdin).catch(() => undefined)
  try {
    yield* running.child.stdout as AsyncIterable<Uint8Array>
    await feeding
    await running.settle()
  } catch (thrown) {
    // An abort breaks the stream first; the sentence is the same wherever it is noticed.
    await running.settle()
    throw thrown
  } finally {
    await running.kill()
  }
}

/** Gives tar an archive to read. @throws BottleError; also whatever the archive's own source throws */
export async function feedTar(
  program: TarProgram,
  work: Work & { readonly archive: AsyncIterable<Uint8Array> },
): Promise<void> {
  const running = start(program, work)
  running.child.stdout.resume()
  try {
    const failed = await feed(work.archive, running.child.stdin).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    if (failed && !work.signal.aborted) throw failed
    await running.settle()
    if (failed) throw failed
  } finally {
    await running.kill()
  }
}

/**
 * All of the archive is read, so that its source can tell that it was complete; what comes after the end mark finds
 * nobody there any more, since tar has left. Whether tar left too early is told by its exit.
 */
async function feed(archive: AsyncIterable<Uint8Array>, input: Writable): Promise<void> {
  let isGone = false
  const gone = new Promise<void>((resolve) => {
    const leave = () => {
      isGone = true
      resolve()
    }
    input.once('close', leave)
    input.on('error', leave)
  })
  for await (const chunk of archive) {
    if (!isGone && !input.write(chunk))
      await Promise.race([once(input, 'drain').catch(() => undefined), gone])
  }
  input.end()
}
