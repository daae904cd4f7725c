import type { FinishedRun, Launched, OperationContext } from '../bottles/services.ts'
import type { Icebox } from '../icebox.ts'
import { type BottleError, bottleError, isBottleError } from '../system/bottle-error.ts'
import type { Face } from './face.ts'
import type { Output } from './output.ts'
import type { ProgressLine } from './progress.ts'

/** How long output may still come after the agent has ended; its log is complete on disk in any case. */
const LOG_TAIL_MS = 5000

/** Sees to it that what a headless agent writes is seen while it runs. */
export interface AgentOutput {
  /** To be called as the operation's `onLaunched`. */
  readonly onLaunched: (launched: Launched) => void
  /** Waits until all output is written; bounded. */
  finish(): Promise<void>
  /** Stops at once. */
  stop(): Promise<void>
}

/**
 * Copies the output of launched agents to stdout, or to stderr with `--json`; `--quiet` leaves it in the logs.
 * With `labelled`, each line carries its bottle's slug, so that several can be told apart.
 */
export function followAgents(
  face: Face,
  icebox: Icebox,
  progress: ProgressLine,
  labelled: boolean,
): AgentOutput {
  const ending = new AbortController()
  const signal = AbortSignal.any([face.signal, ending.signal])
  const copies: Promise<void>[] = []
  const target = face.json ? face.stderr : face.stdout
  const copy = async ({ slug, runId }: Launched): Promise<void> => {
    const write = labelled ? lineWriter(target, `${slug} | `) : target.write
    try {
      for await (const chunk of icebox.bottles.logs(slug, { run: runId, follow: true }, signal)) {
        await write(chunk)
        if (signal.aborted) break
      }
    } catch (thrown) {
      // The run itself is not affected; its log stays readable with `icebox logs`.
      if (!signal.aborted) {
        const reason = thrown instanceof Error ? thrown.message : String(thrown)
        await face.warn(`The output of ${slug} can't be followed: ${reason} See \`icebox logs ${slug}\`.`)
      }
    }
    if (labelled) await write(new Uint8Array(0))
  }
  return {
    onLaunched(launched) {
      // A person sees the others at a terminal, or later.
      if (face.quiet || (launched.way ?? 'headless') !== 'headless') return
      progress.mute()
      copies.push(copy(launched))
    },
    async finish() {
      const timer = setTimeout(() => ending.abort(), LOG_TAIL_MS)
      await Promise.all(copies)
      clearTimeout(timer)
    },
    async stop() {
      ending.abort()
      await Promise.all(copies)
    },
  }
}

const NEWLINE = 10

/** Writes whole lines with a prefix, so that outputs never mix within a line; an empty chunk ends the last one. */
export function lineWriter(
  target: Pick<Output, 'write'>,
  prefix: string,
): (chunk: Uint8Array) => Promise<void> {
  const head = Buffer.from(prefix)
  let rest: Buffer = Buffer.alloc(0)
  return async (chunk) => {
    if (chunk.length === 0) {
      if (rest.length > 0) await target.write(Buffer.concat([head, rest, Buffer.of(NEWLINE)]))
      rest = Buffer.alloc(0)
      return
    }
    const data = Buffer.concat([rest, chunk])
    const lines: Buffer[] = []
    let start = 0
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
      lines.push(head, data.subarray(start, end + 1))
      start = end + 1
    }
    rest = Buffer.from(data.subarray(start))
    if (lines.length > 0) await target.write(Buffer.concat(lines))
  }
}

/** Runs a headless operation with its output followed, and all of that output written when it resolves. */
export async function runFollowed<T>(
  face: Face,
  icebox: Icebox,
  context: OperationContext,
  progress: ProgressLine,
  labelled: boolean,
  operation: (context: OperationContext, onLaunched: (launched: Launched) => void) => Promise<T>,
): Promise<T> {
  const output = followAgents(face, icebox, progress, labelled)
  try {
    const value = await operation(context, output.onLaunched)
    await output.finish()
    return value
  } catch (thrown) {
    // An operation that fails after the agent ran still shows what the agent had to say.
    if (isBottleError(thrown) && thrown.code !== 'cancelled') await output.finish()
    else await output.stop()
    throw thrown
  }
}

/** The error of a run whose agent failed, or whose exit code nobody can tell; null when it ended well. */
export function runFailure(run: FinishedRun): BottleError | null {
  const { slug, exitCode } = run
  if (exitCode === 0) return null
  return exitCode === null
    ? bottleError('agent-exited', `The agent of ${slug} has ended, but its exit code is lost.`, {
        slug,
        exitCode: 1,
      })
    : bottleError('agent-exited', `The agent of ${slug} failed with exit code ${exitCode}.`, {
        slug,
        exitCode,
      })
}
