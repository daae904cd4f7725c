import { dirname } from 'node:path'
import type { LogOptions, RuntimeRef } from '../backend.ts'
import { followFile } from '../local/follow-file.ts'
import type { HostContext } from './host-context.ts'
import { pathsOf, runState } from './run-record.ts'

/** A run's output as it was written; with `follow` until the agent has ended. */
export async function* runLogs(
  context: HostContext,
  ref: RuntimeRef,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { run } = pathsOf(context.home, ref)
  const hasEnded = async () => (await runState(run)).kind !== 'running'
  yield* followFile(run.log, options, [dirname(run.log), run.dir], hasEnded, signal)
}
