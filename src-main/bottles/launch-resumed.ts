import type { Snapshot } from '../../src-preload/contract/index.ts'
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
import { faultPoint } from '../system/fault.ts'
import type { BottleDeps } from './deps.ts'
import { isRunLeft } from './leftovers.ts'
import { type LaunchTarget, type PreparedRun, toLaunchPlan, writeBuildContext } from './prepare-run.ts'
import type { Origin } from './resume-origin.ts'
import { newRunId } from './run-id.ts'
import { ensureLogFolder, newRun, tellLaunchNotices } from './run-lifecycle.ts'
import type { OperationContext } from './services.ts'

/** A resumed bottle whose run is recorded. */
export interface Resumed {
  readonly runId: string
  readonly snapshot: string | null
  readonly backend: Backend
  readonly ref: RuntimeRef
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
  prepared: PreparedRun,
  origin: Origin,
  runtime: RuntimeRef | null,
  context: OperationContext,
): Promise<Resumed> {
  const { root } = deps
  const { backend } = prepared
  const { signal } = context
  const target = launchTarget(slug, runtime, origin.snapshot)
  const plan = toLaunchPlan(deps, prepared, target)
  const preflight = await backend.preflight(plan, signal)
  for (const notice of [...prepared.notices, ...preflight, ...(origin.notice ? [origin.notice] : [])]) {
    context.notice(notice)
  }
  await ensureLogFolder(deps, slug)
  await writeIntent(root, slug, {
    op: 'resume',
    runId: plan.runId,
    previous: runtime,
    runtime: null,
    snapshotId: null,
    target: null,
    draft: null,
    launch: { interactive: plan.tty, fromSnapshot: origin.snapshot?.id ?? null },
  })
  faultPoint('resume:after-intent')
  await writeBuildContext(prepared, plan)
  const startedAt = new Date()
  const ref = await backend.launch(plan, context.progress, signal).catch(async (thrown: unknown) => {
    if (!(await isRunLeft(deps, backend, plan.runId))) await clearIntent(root, slug)
    throw thrown
  })
  faultPoint('resume:after-launch')
  tellLaunchNotices(ref, context.notice)
  const metadata = resumedMetadata(deps, await requireMetadata(root, slug), prepared)
  await writeMetadata(root, slug, withRun(metadata, newRun(plan, ref, startedAt)))
  faultPoint('resume:after-record')
  if (runtime && backend.name !== 'host') await backend.remove(runtime, signal)
  faultPoint('resume:after-remove')
  await clearIntent(root, slug)
  const from = origin.snapshot ? `from ${origin.snapshot.id}` : 'from its definition'
  await appendJournal(root, slug, { op: 'resume', outcome: 'done', message: `Resumed ${from}.` })
  return { runId: plan.runId, snapshot: origin.snapshot?.id ?? null, backend, ref }
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
  }
  return { ...metadata, backend: prepared.backend.name, icebox: facts }
}
