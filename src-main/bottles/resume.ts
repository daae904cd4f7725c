import type { StartPlan } from '../../src-preload/contract/index.ts'
import type { Backend, RuntimeRef } from '../backends/backend.ts'
import { withLock } from '../state/lock.ts'
import { latestRun, type Metadata, requireMetadata, requireWritable } from '../state/metadata.ts'
import { requireSlug } from '../state/slug.ts'
import { bottleError } from '../system/bottle-error.ts'
import { definitionsDir } from './carried-definitions.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'
import { launchResumed, launchTarget, type Resumed } from './launch-resumed.ts'
import { describePlan, prepareRun, type RunRequest, toLaunchPlan } from './prepare-run.ts'
import { readRuntime } from './read-bottles.ts'
import {
  chooseOrigin,
  freezeNewerWork,
  mayRebuild,
  requireRebuildOk,
  requireSameBackend,
} from './resume-origin.ts'
import { recordExitLocked, waitAndRecord } from './run-lifecycle.ts'
import type { FinishedRun, OperationContext, ResumeRequest } from './services.ts'

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
