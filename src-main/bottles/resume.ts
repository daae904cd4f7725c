import type { Snapshot, StartPlan } from '../../src-preload/contract/index.ts'
import type { Backend, ImageSource, RuntimeRef } from '../backends/backend.ts'
import { clearIntent, writeIntent } from '../state/intent.ts'
import { appendJournal } from '../state/journal.ts'
import { withLock } from '../state/lock.ts'
import {
  type IceboxFacts,
  latestRun,
  METADATA_VERSION,
  type Metadata,
  requireMetadata,
  requireWritable,
  withRun,
  writeMetadata,
} from '../state/metadata.ts'
import { requireSlug } from '../state/slug.ts'
import { pickSnapshot, readSnapshots } from '../state/snapshot-files.ts'
import { bottleError, isBottleError } from '../system/bottle-error.ts'
import { faultPoint } from '../system/fault.ts'
import { snapshotView } from './adopt-committed.ts'
import { definitionsDir } from './carried-definitions.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'
import { freezeLocked, freezeOptions } from './freeze.ts'
import { isRunLeft } from './leftovers.ts'
import {
  describePlan,
  type LaunchTarget,
  type PreparedRun,
  prepareRun,
  type RunRequest,
  toLaunchPlan,
  writeBuildContext,
} from './prepare-run.ts'
import { readRuntime } from './read-bottles.ts'
import { newRunId } from './run-id.ts'
import {
  ensureLogFolder,
  newRun,
  recordExitLocked,
  tellLaunchNotices,
  waitAndRecord,
} from './run-lifecycle.ts'
import type { FinishedRun, OperationContext, ResumeRequest } from './services.ts'

/** What a bottle can be resumed from, decided before anything happens. */
interface Origin {
  readonly snapshot: Snapshot | null
  /** Said to the user when it is not the bottle's own current snapshot. */
  readonly notice: string | null
}

function toRunRequest(
  deps: BottleDeps,
  metadata: Metadata,
  request: ResumeRequest,
  backend: string,
): RunRequest {
  const isAdopted = metadata.icebox?.adopted === true
  return {
    agent: isAdopted || !metadata.agentName ? null : metadata.agentName,
    bottleNames: metadata.bottleNames,
    mode: request.mode,
    prompt: request.prompt ?? null,
    backend,
    cwd: request.cwd ?? (metadata.cwd || null),
    copyCwd: metadata.copyCwd,
    forgeEnv: request.forgeEnv ?? {},
    secrets: request.secrets ?? {},
    secretNames: request.secretNames ?? [],
    allowMissingSecrets: request.allowMissingSecrets === true,
    unenforcedEgress: request.unenforcedEgress === true,
    resuming: true,
    carriedDir: definitionsDir(deps.root, request.slug),
    noNetwork: metadata.icebox?.policy === 'no-network',
  }
}

/** Forge credentials are never kept, so a bottle that had them must get them again (case 36). */
function requireForgeEnv(metadata: Metadata, request: ResumeRequest): void {
  const missing = (metadata.icebox?.forgeEnvNames ?? []).filter((name) => !(name in (request.forgeEnv ?? {})))
  if (missing.length === 0) return
  throw bottleError(
    'secret-missing',
    `This bottle was started with forge values for ${missing.join(', ')}. Give them again.`,
    {
      slug: metadata.identity,
    },
  )
}

async function chooseOrigin(
  deps: BottleDeps,
  metadata: Metadata,
  request: ResumeRequest,
  slug: string,
  mode: 'adopt' | 'read',
  signal: AbortSignal,
): Promise<Origin> {
  if (request.snapshot) {
    const { snapshots } = await readSnapshots(deps.root, slug)
    return { snapshot: pickSnapshot(slug, snapshots, request.snapshot), notice: null }
  }
  const { current } = await snapshotView(deps, slug, metadata, mode, signal)
  if (current) return { snapshot: current, notice: null }
  const fork = metadata.icebox?.forkOf
  if (fork) {
    const { snapshots } = await readSnapshots(deps.root, fork.slug)
    const snapshot = snapshots.find((known) => known.id === fork.snapshot)
    if (snapshot) {
      return {
        snapshot,
        notice: `${slug} has no snapshot of its own; it starts from ${fork.slug}@${fork.snapshot}.`,
      }
    }
  }
  return { snapshot: null, notice: null }
}

/** Without a snapshot only a rebuild is left: said loudly, and in a headless call only if it was allowed. */
function requireRebuildOk(
  request: ResumeRequest,
  slug: string,
  context: Pick<OperationContext, 'notice'>,
): void {
  const sentence = `${slug} has no snapshot and no container, so nothing of its work can be brought back.`
  if (request.mode === 'headless' && !request.rebuildOk) {
    throw bottleError('snapshot-missing', `${sentence} --rebuild-ok starts it anew from its definition.`, {
      slug,
    })
  }
  context.notice(`${sentence} It starts anew from its definition.`)
}

function requireSameBackend(snapshot: Snapshot | null, backend: Backend, slug: string): void {
  if (!snapshot || snapshot.backend === backend.name) return
  throw bottleError(
    'unsupported',
    `${slug}@${snapshot.id} was frozen on ${snapshot.backend}; resuming it on ${backend.name} is not supported yet.`,
    { slug },
  )
}

/** What a resume would do; writes nothing. */
export async function planResume(
  deps: BottleDeps,
  request: ResumeRequest,
  signal: AbortSignal,
): Promise<StartPlan> {
  const slug = requireSlug(request.slug)
  const metadata = await requireMetadata(deps.root, slug)
  const origin = await chooseOrigin(deps, metadata, request, slug, 'read', signal)
  requireForgeEnv(metadata, request)
  const prepared = await prepareRun(
    deps,
    toRunRequest(deps, metadata, request, request.backend ?? metadata.backend),
    signal,
  )
  requireSameBackend(origin.snapshot, prepared.backend, slug)
  const runtime = await ownedRuntime(deps, slug, prepared.backend, signal)
  const notices = [...prepared.notices, ...(origin.notice ? [origin.notice] : [])]
  if (runtime && (await prepared.backend.hasChangedSince(runtime, origin.snapshot, signal))) {
    notices.push('Work since the last snapshot would be frozen first.')
  } else if (!runtime && !origin.snapshot) {
    requireRebuildOk(request, slug, { notice: (text) => notices.push(text) })
  }
  const target = launchTarget(slug, runtime, origin.snapshot)
  const plan = toLaunchPlan(deps, prepared, target)
  const preflight = await prepared.backend.preflight(plan, signal)
  return describePlan(prepared, plan, [...notices, ...preflight])
}

function launchTarget(slug: string, previous: RuntimeRef | null, snapshot: Snapshot | null): LaunchTarget {
  const image: ImageSource | null = snapshot ? { kind: 'snapshot', snapshot } : null
  return { slug, runId: newRunId(), previous, image }
}

/**
 * Resumes a bottle. What changed since its current snapshot is frozen first and never dropped.
 * @throws BottleError `busy` when it runs already, `snapshot-missing`, `not-found`, …
 */
export async function resume(
  deps: BottleDeps,
  request: ResumeRequest,
  context: OperationContext,
): Promise<FinishedRun> {
  const slug = requireSlug(request.slug)
  const launched = await withLock(deps.root, slug, { operation: 'resume', signal: context.signal }, () =>
    resumeLocked(deps, slug, request, context),
  )
  const { runId, snapshot, backend, ref } = launched
  request.onLaunched?.({ slug, runId, snapshot })
  if (request.mode === 'interactive') return { slug, runId, snapshot, exitCode: null }
  const exitCode = await waitAndRecord(deps, backend, slug, ref, context.signal)
  return { slug, runId, snapshot, exitCode }
}

interface Resumed {
  readonly runId: string
  readonly snapshot: string | null
  readonly backend: Backend
  readonly ref: RuntimeRef
}

async function resumeLocked(
  deps: BottleDeps,
  slug: string,
  request: ResumeRequest,
  context: OperationContext,
): Promise<Resumed> {
  const { signal } = context
  const metadata = await requireMetadata(deps.root, slug)
  requireWritable(slug, metadata)
  const backendName = request.backend ?? metadata.backend
  const fact = await readRuntime(deps, slug, metadata.backend, signal)
  if (fact?.state === 'running' || fact?.state === 'paused') {
    const since = metadata.icebox?.runs.at(-1)?.startedAt ?? metadata.startedAt
    throw bottleError(
      'busy',
      `${slug} is already ${fact.state} since ${since}. Attach to it, or stop it first.`,
      { slug },
    )
  }
  requireForgeEnv(metadata, request)
  const prepared = await prepareRun(deps, toRunRequest(deps, metadata, request, backendName), signal)
  const { backend } = prepared
  const chosen = await chooseOrigin(deps, metadata, request, slug, 'adopt', signal)
  requireSameBackend(chosen.snapshot, backend, slug)
  const runtime = await ownedRuntime(deps, slug, backend, signal)
  await settlePreviousExit(deps, backend, slug, runtime, signal)
  const origin = await freezeNewerWork(deps, slug, request, prepared, chosen, runtime, context)
  if (!origin.snapshot && !runtime) requireRebuildOk(request, slug, context)
  if (!runtime) await removeRemains(metadata, backend, signal)
  try {
    return await launchResumed(deps, slug, prepared, origin, runtime, context)
  } catch (thrown) {
    if (!(await mayRebuild(thrown, slug, request, context))) throw thrown
    const anew = {
      snapshot: null,
      notice: `${slug} starts anew from its definition; its snapshot is not there.`,
    }
    return launchResumed(deps, slug, prepared, anew, runtime, context)
  }
}

/** A missing snapshot is never replaced in silence: by flag, or by a person's answer (case 14). */
async function mayRebuild(
  thrown: unknown,
  slug: string,
  request: ResumeRequest,
  context: OperationContext,
): Promise<boolean> {
  if (!isBottleError(thrown) || thrown.code !== 'snapshot-missing') return false
  if (request.rebuildOk) return true
  return (
    request.mode === 'interactive' &&
    context.confirm(`${thrown.message} Start ${slug} anew from its definition?`)
  )
}

/** A container removed by hand leaves its sidecars, network and secrets behind; they go before the next run. */
async function removeRemains(metadata: Metadata, backend: Backend, signal: AbortSignal): Promise<void> {
  const ref = latestRun(metadata)?.ref
  if (ref && ref.backend === backend.name) await backend.remove(ref, signal)
}

/** An end that nobody saw (a reboot, a killed command) is recorded before the next run begins. */
async function settlePreviousExit(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  runtime: RuntimeRef | null,
  signal: AbortSignal,
): Promise<void> {
  if (!runtime?.runId) return
  const exit = await backend.wait(runtime, signal)
  if (exit) await recordExitLocked(deps, backend, slug, runtime.runId, exit, false, signal)
}

async function freezeNewerWork(
  deps: BottleDeps,
  slug: string,
  request: ResumeRequest,
  prepared: PreparedRun,
  chosen: Origin,
  runtime: RuntimeRef | null,
  context: OperationContext,
): Promise<Origin> {
  if (!runtime) return chosen
  const current = await currentOrNull(deps, slug, request, context.signal)
  if (!(await prepared.backend.hasChangedSince(runtime, current, context.signal))) return chosen
  const options = freezeOptions('before-resume')
  const { snapshot } = await freezeLocked(deps, prepared.backend, slug, runtime, options, context)
  context.notice(`Newer work was frozen first, as ${snapshot.id}.`)
  return request.snapshot ? chosen : { snapshot, notice: null }
}

/** A damaged `committed-image` stops a resume from it, not one of a snapshot that was named. */
async function currentOrNull(
  deps: BottleDeps,
  slug: string,
  request: ResumeRequest,
  signal: AbortSignal,
): Promise<Snapshot | null> {
  try {
    return (await snapshotView(deps, slug, await requireMetadata(deps.root, slug), 'adopt', signal)).current
  } catch (thrown) {
    if (!request.snapshot || !isBottleError(thrown) || thrown.code !== 'corrupt-state') throw thrown
    return null
  }
}

async function launchResumed(
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
