import type { LaunchedAgent } from '../../agents/launched-agent.ts'
import type { AgentAccess } from '../../backends/agent-access.ts'
import type { Backend, RuntimeRef } from '../../backends/backend.ts'
import { latestRun, type Metadata, type RunRecord, readMetadata } from '../../state/metadata.ts'
import type { StateRoot } from '../../state/root.ts'
import type { RunEnd } from './back-off.ts'
import type { LaunchKey } from './supervision.ts'

/** The launch that a supervisor looks after, with what it needs to reach it. */
export interface Launch extends LaunchKey {
  readonly slug: string
  readonly ref: RuntimeRef
  readonly isInteractive: boolean
  readonly label: string
  /** The conversation that it was begun with; null when that is not known. */
  readonly begunWith: string | null
  readonly launched: LaunchedAgent
  readonly backend: Backend
  /** Null where the engine lets nobody look. */
  readonly access: AgentAccess | null
}

/** A bottle's newest run as the records have it; null where there is none, or where they can't be read. */
export async function readNewestRun(
  root: StateRoot,
  slug: string,
): Promise<{ readonly metadata: Metadata; readonly run: RunRecord } | null> {
  const read = await readMetadata(root, slug)
  const run = read.kind === 'ok' ? latestRun(read.metadata) : null
  return read.kind === 'ok' && run ? { metadata: read.metadata, run } : null
}

/** True while the bottle's newest run is still that launch, and ended or not as `isRunning` says. */
export async function isStill(root: StateRoot, launch: Launch, isRunning: boolean): Promise<boolean> {
  const found = await readNewestRun(root, launch.slug)
  return found !== null && isLaunch(found.run, launch) && (found.run.exit === null) === isRunning
}

export function isLaunch(run: RunRecord, key: LaunchKey): boolean {
  return run.id === key.runId && run.startedAt === key.startedAt
}

/** How a run ended, as recorded. Pure. */
export function endOf(run: RunRecord): RunEnd | null {
  if (!run.exit) return null
  const isStopped = run.isStopped || run.isCalledOff === true
  return { code: run.exit.code, isStopped, at: Date.parse(run.exit.at) || 0 }
}
