import type { StartPlan } from '../../src-preload/contract/index.ts'
import type { BottleDeps } from './deps.ts'
import { launchNew } from './launch-new.ts'
import {
  describePlan,
  draftTarget,
  type PreparedRun,
  prepareRun,
  type RunRequest,
  toLaunchPlan,
} from './prepare-run.ts'
import { likelySlug, type SlugWish } from './reserve-slug.ts'
import { waitAndRecord } from './run-lifecycle.ts'
import type { FinishedRun, OperationContext, StartRequest } from './services.ts'

/** The run that a start asks for. Pure. */
export function toRunRequest(request: StartRequest): RunRequest {
  return {
    agent: request.agent,
    bottleNames: request.bottles ?? [],
    mode: request.mode,
    prompt: request.prompt ?? null,
    backend: request.backend ?? null,
    cwd: request.cwd,
    copyCwd: request.copyCwd === true,
    forgeEnv: request.forgeEnv ?? {},
    secrets: request.secrets ?? {},
    secretNames: request.secretNames ?? [],
    allowMissingSecrets: request.allowMissingSecrets === true,
    unenforcedEgress: request.unenforcedEgress === true,
    resuming: false,
  }
}

/**
 * A headless start without a label is labelled with the agent's name and numbered when taken, as bot-bottle
 * does; an interactive one without a label gets a random ending. Source: bot-bottle.md §3.
 */
export function slugWish(request: StartRequest): SlugWish {
  const isHeadless = request.mode === 'headless'
  return {
    label: request.label || (isHeadless ? request.agent : null),
    agentName: request.agent,
    mayNumber: isHeadless || !request.label,
  }
}

async function prepare(
  deps: BottleDeps,
  request: StartRequest,
  signal: AbortSignal,
): Promise<{
  readonly prepared: PreparedRun
  readonly notices: readonly string[]
  readonly plan: StartPlan
}> {
  const prepared = await prepareRun(deps, toRunRequest(request), signal)
  const slug = await likelySlug(deps.root, slugWish(request))
  const draft = toLaunchPlan(deps, prepared, draftTarget(slug, null, null))
  const notices = [...prepared.notices, ...(await prepared.backend.preflight(draft, signal))]
  return { prepared, notices, plan: describePlan(prepared, draft, notices) }
}

/** What a start would do; writes nothing and reserves nothing. */
export async function planStart(
  deps: BottleDeps,
  request: StartRequest,
  signal: AbortSignal,
): Promise<StartPlan> {
  return (await prepare(deps, request, signal)).plan
}

/** Starts a new bottle; a headless one is waited for. */
export async function start(
  deps: BottleDeps,
  request: StartRequest,
  context: OperationContext,
): Promise<FinishedRun> {
  const { prepared, notices } = await prepare(deps, request, context.signal)
  for (const notice of notices) context.notice(notice)
  const wish = slugWish(request)
  const launched = await launchNew(
    deps,
    prepared,
    {
      wish,
      op: 'start',
      label: wish.label ?? '',
      color: request.color ?? '',
      image: null,
      forkOf: null,
    },
    context,
  )
  const { slug, runId, snapshot } = launched
  request.onLaunched?.({ slug, runId, snapshot })
  if (request.mode === 'interactive') return { slug, runId, snapshot, exitCode: null }
  const exitCode = await waitAndRecord(deps, prepared.backend, slug, launched.ref, context.signal)
  return { slug, runId, snapshot, exitCode }
}
