import { dirname } from 'node:path'
import type { LogOptions, RuntimeRef } from '../backend.ts'
import { followFile } from '../local/follow-file.ts'
import type { SmolContext } from './context.ts'
import { hasRunFolder, runPaths } from './run-paths.ts'
import { runState } from './run-state.ts'

/** A run's output as it came; with `follow` until the agent has ended. */
export async function* runLogs(
  context: SmolContext,
  ref: RuntimeRef,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  // The engine itself keeps no output, so a machine that Icebox did not start has none.
  if (!hasRunFolder(ref)) return
  const run = runPaths(context.home, ref)
  const hasEnded = async () => (await runState(run)).kind !== 'running'
  yield* followFile(run.log, options, [dirname(run.log)], hasEnded, signal)
}
