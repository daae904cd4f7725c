import { latestRun, readMetadata, withRun, writeMetadata } from '../state/metadata.ts'
import type { StateRoot } from '../state/root.ts'
import type { BottleDeps } from './deps.ts'
import { readRuntime } from './read-bottles.ts'

/** Records that a person wants the newest run to stay ended, so that no rule begins it again. The caller holds the lock. */
export async function callOff(root: StateRoot, slug: string): Promise<void> {
  const read = await readMetadata(root, slug)
  const run = read.kind === 'ok' ? latestRun(read.metadata) : null
  if (read.kind !== 'ok' || !run || run.isStopped || run.isCalledOff) return
  await writeMetadata(root, slug, withRun(read.metadata, { ...run, isCalledOff: true }))
}

/** As `callOff`, if the run has ended; its end may not be recorded yet. */
export async function callOffEnded(deps: BottleDeps, slug: string, signal: AbortSignal): Promise<void> {
  const read = await readMetadata(deps.root, slug)
  const run = read.kind === 'ok' ? latestRun(read.metadata) : null
  if (read.kind !== 'ok' || !run) return
  if (run.exit === null) {
    if (run.order?.isSupervised !== true) return
    const fact = await readRuntime(deps, slug, read.metadata.backend, signal)
    if (fact?.state === 'running' || fact?.state === 'paused') return
  }
  await callOff(deps.root, slug)
}
