import { readJournal } from '../../state/journal.ts'
import { lockHolder } from '../../state/lock.ts'
import { latestRun, readMetadata, withRun, writeMetadata } from '../../state/metadata.ts'
import { readSnapshots } from '../../state/snapshot-files.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import { readRuntime } from '../read-bottles.ts'
import type { OperationContext } from '../services.ts'
import { isLaunch, type Launch } from './current-launch.ts'
import type { Session } from './supervisor-deps.ts'

/** Why a restart by rule is not done: somebody else did something with the bottle, or it runs already. */
type Objection = 'changed' | 'runs'

/** A restart by rule, as it was decided. */
export interface PlannedRestart {
  readonly why: 'crash' | 'context'
  /** When an earlier try for the context stopped the agent itself, and then broke off; null for none. */
  readonly cutAt: number | null
  /** Called when nothing stands against it, before it stops what runs. */
  readonly beforeStop: () => Promise<void>
}

/**
 * Starts an agent again as a person's `restart` would, but only if everything is still as it was decided upon: looked at
 * under the bottle's lock, so that nobody can come in between. False when it is not, and nothing was done.
 * @throws BottleError as `restart` does
 */
export async function restartByRule(
  session: Session,
  launch: Launch,
  planned: PlannedRestart,
  context: OperationContext,
): Promise<boolean> {
  const { slug } = launch
  let objection: Objection | null = null
  const launched = new AbortController()
  const signal = AbortSignal.any([context.signal, launched.signal])
  try {
    faultPoint('supervise:before-restart')
    await session.bottles.restart(
      slug,
      { ...context, signal },
      {
        // After a crash the conversation goes on; a full one would only be full again.
        session: planned.why === 'crash' ? 'continue-or-new' : 'new',
        check: async () => {
          objection = await objectionTo(session, launch, planned, context.signal)
          if (objection === null) return planned.beforeStop()
          throw bottleError('cancelled', 'Nothing is to be restarted any more.', { slug })
        },
        // Its end is seen by the watch, not waited for here.
        onLaunched: () => launched.abort(),
      },
    )
    return true
  } catch (thrown) {
    if (objection !== null) return objection === 'runs'
    if (launched.signal.aborted && !context.signal.aborted) return true
    throw thrown
  }
}

async function objectionTo(
  session: Session,
  launch: Launch,
  { why, cutAt }: PlannedRestart,
  signal: AbortSignal,
): Promise<Objection | null> {
  const { root, services } = session
  const { slug } = launch
  // The fence: whoever took over since may have acted already.
  if (!(await session.lease.holds())) return 'changed'
  const read = await readMetadata(root, slug)
  const run = read.kind === 'ok' ? latestRun(read.metadata) : null
  if (read.kind !== 'ok' || !run || !isLaunch(run, launch)) return 'changed'
  const { exit } = run
  if (why === 'context' && cutAt === null) return exit === null ? null : 'changed'
  if (exit === null || run.isCalledOff) return 'changed'
  if (run.isStopped && (cutAt === null || (await wasStoppedSince(session, slug, cutAt)))) return 'changed'
  const { snapshots } = await readSnapshots(root, slug)
  // A person who froze it after its end has put it away.
  if (snapshots.some(({ reason, createdAt }) => reason === 'user' && createdAt > exit.at)) return 'changed'
  const fact = await readRuntime(services, slug, read.metadata.backend, signal)
  if (fact?.state !== 'running' && fact?.state !== 'paused') return null
  // Whoever has just started it records it in a moment.
  const holder = await lockHolder(root, slug)
  if (holder && holder.pid !== process.pid) return 'changed'
  await adopt(session, launch)
  return 'runs'
}

/** True when a person stopped it: a restart's own stop is no entry of the journal. */
async function wasStoppedSince({ root }: Session, slug: string, since: number): Promise<boolean> {
  const entries = await readJournal(root, slug)
  return entries.some(({ op, at, outcome }) => op === 'stop' && outcome === 'done' && Date.parse(at) >= since)
}

/** A process was killed between the start of the agent and its record: the record is made up for, and nothing starts twice. */
async function adopt({ root }: Session, { slug, runId, backend }: Launch): Promise<void> {
  const ref = await backend.find(`bot-bottle-${slug}`, AbortSignal.timeout(10_000))
  const read = await readMetadata(root, slug)
  const run = read.kind === 'ok' ? latestRun(read.metadata) : null
  if (read.kind !== 'ok' || !run || run.id !== runId || ref?.runId !== runId) return
  const startedAt = new Date().toISOString()
  await writeMetadata(
    root,
    slug,
    withRun(read.metadata, { ...run, ref, startedAt, exit: null, isStopped: false, isCalledOff: undefined }),
  )
}
