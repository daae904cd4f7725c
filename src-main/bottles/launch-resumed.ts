import type { Snapshot } from '../../src-preload/contract/index.ts'
import { writeLaunched } from '../agents/launched-agent.ts'
import type { Backend, ImageSource, RuntimeRef } from '../backends/backend.ts'
import { clearIntent, writeIntent } from '../state/intent.ts'
import { appendJournal } from '../state/journal.ts'
import {
  type IceboxFacts,
  METADATA_VERSION,
  type Metadata,
  requireMetadata,
  withRun,
  writeMetadata,
} from '../state/metadata.ts'
import { toFailure } from '../system/bottle-error.ts'
import { faultPoint } from '../system/fault.ts'
import { leaveRuntime, makeCurrent } from './carry/settle-crossing.ts'
import type { BottleDeps } from './deps.ts'
import { countHooks } from './hooks/bottle-hooks.ts'
import { beforeResume } from './hooks/launch-hooks.ts'
import { sessionOfSnapshot } from './known-session.ts'
import { isRunLeft } from './leftovers.ts'
import {
  type LaunchTarget,
  type PreparedRun,
  toLaunchPlan,
  withSession,
  writeBuildContext,
} from './prepare-run.ts'
import type { Origin } from './resume-origin.ts'
import { newRunId } from './run-id.ts'
import { ensureLogFolder, newRun, tellLaunchNotices } from './run-lifecycle.ts'
import { orderOf } from './run-order.ts'
import type { OperationContext } from './services.ts'

/** What is more to do where a bottle goes on from another backend's snapshot. */
export interface Move {
  /** The runtime of the backend that the bottle leaves, there or half gone; undefined when it leaves none. */
  readonly leaves: RuntimeRef | null | undefined
  /** True when the bottle comes back from the run's snapshot from now on. */
  readonly becomesCurrent: boolean
}

export const NO_MOVE: Move = { leaves: undefined, becomesCurrent: false }

/** A resumed bottle whose run is recorded. */
export interface Resumed {
  readonly runId: string
  readonly snapshot: string | null
  readonly backend: Backend
  readonly ref: RuntimeRef
  readonly prepared: PreparedRun
}

/** A new run in place of the previous runtime, from the snapshot. */
export function launchTarget(
  slug: string,
  previous: RuntimeRef | null,
  snapshot: Snapshot | null,
): LaunchTarget {
  const image: ImageSource | null = snapshot ? { kind: 'snapshot', snapshot } : null
  return { slug, runId: newRunId(), previous, image }
}

/** Launches and records the run, then removes the runtime that it replaces. The caller holds the lock. @throws BottleError */
export async function launchResumed(
  deps: BottleDeps,
  slug: string,
  drafted: PreparedRun,
  origin: Origin,
  runtime: RuntimeRef | null,
  context: OperationContext,
  move: Move = NO_MOVE,
): Promise<Resumed> {
  const { root } = deps
  const { signal } = context
  // Only now is it settled which files the run begins with, and so which conversation.
  const prepared = withSession(drafted, sessionOfSnapshot(origin.snapshot, slug))
  const { backend } = prepared
  const order = orderOf(prepared)
  const isLeaving = move.leaves !== undefined
  const target = launchTarget(slug, isLeaving ? null : runtime, origin.snapshot)
  const plan = toLaunchPlan(deps, prepared, target)
  const preflight = await backend.preflight(plan, signal)
  for (const notice of [...prepared.notices, ...preflight, ...(origin.notice ? [origin.notice] : [])]) {
    context.notice(notice)
  }
  const run = { slug, runId: plan.runId, snapshot: origin.snapshot?.id ?? null }
  await beforeResume(deps, prepared, run, context)
  await ensureLogFolder(deps, slug)
  await writeIntent(root, slug, {
    op: 'resume',
    runId: plan.runId,
    previous: move.leaves === undefined ? runtime : move.leaves,
    runtime: null,
    snapshotId: null,
    target: null,
    draft: null,
    launch: {
      interactive: plan.tty,
      fromSnapshot: origin.snapshot?.id ?? null,
      order,
      ...(isLeaving ? { backend: backend.name } : {}),
      ...(move.becomesCurrent ? { becomesCurrent: true } : {}),
    },
  })
  faultPoint('resume:after-intent')
  await writeBuildContext(prepared, plan)
  await writeLaunched(root, slug, prepared.resolved, plan.runId)
  const startedAt = new Date()
  const ref = await backend.launch(plan, context.progress, signal).catch(async (thrown: unknown) => {
    if (!(await isRunLeft(deps, backend, plan.runId))) await clearIntent(root, slug)
    throw thrown
  })
  faultPoint('resume:after-launch')
  tellLaunchNotices(ref, context.notice)
  const metadata = resumedMetadata(deps, await requireMetadata(root, slug), prepared)
  await writeMetadata(root, slug, withRun(metadata, newRun(plan, ref, startedAt, order)))
  faultPoint('resume:after-record')
  if (move.becomesCurrent && origin.snapshot) await makeCurrent(deps, slug, origin.snapshot.id)
  faultPoint('resume:after-current')
  let isSettled = true
  if (isLeaving) isSettled = await settleLeaving(deps, slug, move.leaves ?? null, context)
  else if (runtime && backend.name !== 'host') await backend.remove(runtime, signal)
  faultPoint('resume:after-remove')
  if (isSettled) await clearIntent(root, slug)
  const where = isLeaving ? ` on ${backend.name}` : ''
  const from = `${origin.snapshot ? `from ${origin.snapshot.id}` : 'from its definition'}${where}`
  await appendJournal(root, slug, { op: 'resume', outcome: 'done', message: `Resumed ${from}.` })
  return { runId: plan.runId, snapshot: origin.snapshot?.id ?? null, backend, ref, prepared }
}

/**
 * Leaves the former backend. The run is recorded, so nothing may fail the resume any more: what can't be removed now is
 * named by the intent, which stays, and recovery comes back to it.
 */
async function settleLeaving(
  deps: BottleDeps,
  slug: string,
  previous: RuntimeRef | null,
  context: OperationContext,
): Promise<boolean> {
  try {
    const kept = previous ? await leaveRuntime(deps, previous, context.signal) : []
    for (const sentence of kept) context.notice(sentence)
    return true
  } catch (thrown) {
    context.notice(
      `What ${slug} had on ${previous?.backend ?? 'its former backend'} goes later: ${toFailure(thrown).message}`,
    )
    return false
  }
}

/** The bottle's metadata with what this start decided anew; a legacy bottle gets our part. Pure. */
function resumedMetadata(deps: BottleDeps, metadata: Metadata, prepared: PreparedRun): Metadata {
  const { planned, resolved, request } = prepared
  const known: Partial<IceboxFacts> = metadata.icebox ?? {}
  const facts: IceboxFacts = {
    version: METADATA_VERSION,
    root: deps.root.id,
    provider: resolved?.agent.provider ?? known.provider ?? '',
    agentSource: resolved ? `${resolved.agent.source}: ${resolved.agent.file}` : (known.agentSource ?? ''),
    runs: known.runs ?? [],
    policy: planned.network === 'none' ? 'no-network' : planned.network,
    secretNames: planned.secretNames,
    forgeEnvNames: Object.keys(request.forgeEnv),
    // From now on the bottle runs in a container of ours.
    adopted: false,
    forkOf: known.forkOf ?? null,
    volumes: known.volumes ?? [],
    notices: prepared.notices,
    hooksConfigured: countHooks(resolved),
  }
  return { ...metadata, backend: prepared.backend.name, icebox: facts }
}
