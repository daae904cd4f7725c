import type { Snapshot, StartPlan } from '../../src-preload/contract/index.ts'
import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { withLock } from '../state/lock.ts'
import { latestRun, type Metadata, requireMetadata, requireWritable } from '../state/metadata.ts'
import { requireSlug } from '../state/slug.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import { definitionsDir } from './carried-definitions.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'
import { thenUnlocked } from './hooks/after-lock.ts'
import { afterResume } from './hooks/launch-hooks.ts'
import { sessionOfSnapshot, wishOf } from './known-session.ts'
import { launchResumed, launchTarget, type Resumed } from './launch-resumed.ts'
import { describePlan, prepareRun, toLaunchPlan } from './prepare-run.ts'
import { readRuntime } from './read-bottles.ts'
import { chooseOrigin, freezeNewerWork, mayRebuild, requireRebuildOk, targetOf } from './resume-origin.ts'
import { finishRun, recordExitLocked } from './run-lifecycle.ts'
import type { RunRequest } from './run-request.ts'
import type { FinishedRun, OperationContext, ResumeRequest } from './services.ts'

function toRunRequest(
  deps: BottleDeps,
  metadata: Metadata,
  request: ResumeRequest,
  backend: string,
  snapshot: Snapshot | null,
): RunRequest {
  const isAdopted = metadata.icebox?.adopted === true
  return {
    agent: isAdopted || !metadata.agentName ? null : metadata.agentName,
    agentSource: metadata.icebox?.agentSource,
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
    session: wishOf(request),
    known: sessionOfSnapshot(snapshot, request.slug),
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

/** What a resume would do; writes nothing. */
export async function planResume(
  deps: ArtifactDeps,
  request: ResumeRequest,
  signal: AbortSignal,
): Promise<StartPlan> {
  const slug = requireSlug(request.slug)
  const metadata = await requireMetadata(deps.root, slug)
  const origin = await chooseOrigin(deps, metadata, request, slug, 'read', signal)
  const home = await deps.backends.get(metadata.backend)
  const runtime = await ownedRuntime(deps, slug, home, signal)
  const target = targetOf(request, metadata, origin.snapshot, runtime)
  if (target !== 'host') requireForgeEnv(metadata, request)
  const wanted = toRunRequest(deps, metadata, request, target, origin.snapshot)
  const prepared = await prepareRun(deps, wanted, signal)
  const notices = [...prepared.notices, ...(origin.notice ? [origin.notice] : [])]
  const isNewer = runtime !== null && (await home.hasChangedSince(runtime, origin.snapshot, signal))
  if (isNewer) {
    notices.push('Work since the last snapshot would be frozen first.')
  } else if (!runtime && !origin.snapshot) {
    requireRebuildOk(request, slug, { notice: (text) => notices.push(text) })
  }
  const { snapshot } = origin
  const previous = target === metadata.backend ? runtime : null
  // What is frozen first takes the place of another backend's snapshot, and nobody can look at it yet.
  const isUnseen = isNewer && !request.snapshot && snapshot?.backend !== metadata.backend
  if (isUnseen && target !== metadata.backend) {
    const { planUnfrozen } = await import('./carry/plan-elsewhere.ts')
    return planUnfrozen(deps, slug, prepared, metadata, notices, signal)
  }
  if (isUnseen && snapshot) {
    return describePlan(prepared, toLaunchPlan(deps, prepared, launchTarget(slug, previous, null)), notices)
  }
  if (snapshot && snapshot.backend !== target) {
    const { planElsewhere } = await import('./carry/plan-elsewhere.ts')
    return planElsewhere(deps, slug, snapshot, prepared, metadata, notices, signal)
  }
  const plan = toLaunchPlan(deps, prepared, launchTarget(slug, previous, snapshot))
  const preflight = await prepared.backend.preflight(plan, signal)
  return describePlan(prepared, plan, [...notices, ...preflight])
}

/**
 * Resumes a bottle. What changed since its current snapshot is frozen first and never dropped.
 * @throws BottleError `busy` when it runs already, `snapshot-missing`, `not-found`, …
 */
export async function resume(
  deps: ArtifactDeps,
  request: ResumeRequest,
  context: OperationContext,
): Promise<FinishedRun> {
  const slug = requireSlug(request.slug)
  if (request.force) await stopIfRunning(deps, slug, context)
  const launched = await thenUnlocked(context, (held) =>
    withLock(deps.root, slug, { operation: 'resume', signal: context.signal }, () =>
      resumeLocked(deps, slug, request, held),
    ),
  )
  const { runId, snapshot, prepared, ref } = launched
  await afterResume(deps, prepared, { slug, runId, snapshot }, context)
  return finishRun(deps, prepared, request, { slug, runId, snapshot }, ref, context)
}

/** What runs is really stopped and looked at again before anything else. */
async function stopIfRunning(deps: BottleDeps, slug: string, context: OperationContext): Promise<void> {
  const { backend } = await requireMetadata(deps.root, slug)
  const fact = await readRuntime(deps, slug, backend, context.signal)
  if (fact?.state !== 'running' && fact?.state !== 'paused') return
  const { stopSurely } = await import('./put-away.ts')
  await stopSurely(deps, slug, context)
}

async function resumeLocked(
  deps: ArtifactDeps,
  slug: string,
  request: ResumeRequest,
  context: OperationContext,
): Promise<Resumed> {
  const { signal } = context
  const metadata = await requireMetadata(deps.root, slug)
  requireWritable(slug, metadata)
  const fact = await readRuntime(deps, slug, metadata.backend, signal)
  if (fact?.state === 'running' || fact?.state === 'paused') {
    const since = metadata.icebox?.runs.at(-1)?.startedAt ?? metadata.startedAt
    throw bottleError(
      'busy',
      `${slug} is already ${fact.state} since ${since}. Attach to it, or stop it first.`,
      { slug },
    )
  }
  const home = await deps.backends.get(metadata.backend)
  const runtime = await ownedRuntime(deps, slug, home, signal)
  const seen = await chooseOrigin(deps, metadata, request, slug, 'read', signal)
  const target = targetOf(request, metadata, seen.snapshot, runtime)
  if (target !== 'host') requireForgeEnv(metadata, request)
  const wanted = toRunRequest(deps, metadata, request, target, seen.snapshot)
  const prepared = await prepareRun(deps, wanted, signal)
  const isKept = prepared.runtime !== null && request.foreground !== true
  if (prepared.request.mode === 'interactive' && !isKept) request.requireSeat?.()
  const chosen = await chooseOrigin(deps, metadata, request, slug, 'adopt', signal)
  await settlePreviousExit(deps, home, slug, runtime, signal)
  const origin = await freezeNewerWork(deps, slug, request, home, chosen, runtime, context)
  if (!origin.snapshot && !runtime) requireRebuildOk(request, slug, context)
  if (!runtime && target === metadata.backend) await removeRemains(metadata, home, signal)
  const isElsewhere = target !== metadata.backend || (origin.snapshot?.backend ?? target) !== target
  const elsewhere = isElsewhere ? { deps, slug, metadata, prepared, request, runtime, context } : null
  try {
    if (!elsewhere) return await launchResumed(deps, slug, prepared, origin, runtime, context)
    return await (await import('./carry/go-elsewhere.ts')).goElsewhere(elsewhere, origin)
  } catch (thrown) {
    if (!(await mayRebuild(thrown, slug, request, context))) throw thrown
    const anew = {
      snapshot: null,
      notice: `${slug} starts anew from its definition; its snapshot is not there.`,
    }
    if (!elsewhere) return launchResumed(deps, slug, prepared, anew, runtime, context)
    return (await import('./carry/go-elsewhere.ts')).goElsewhere(elsewhere, anew)
  }
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
