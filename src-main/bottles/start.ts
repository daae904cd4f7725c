import type { StartPlan } from '../../src-preload/contract/index.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import { afterLaunch } from './hooks/launch-hooks.ts'
import { NO_SESSION, wishOf } from './known-session.ts'
import { launchNew } from './launch-new.ts'
import { describePlan, draftTarget, type PreparedRun, prepareRun, toLaunchPlan } from './prepare-run.ts'
import { findStale, putAway, type StaleEntry, staleSentence } from './put-away.ts'
import { likelySlug, type SlugWish } from './reserve-slug.ts'
import { finishRun } from './run-lifecycle.ts'
import type { RunRequest } from './run-request.ts'
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
    session: wishOf(request),
    known: NO_SESSION,
  }
}

/**
 * A headless start without a label is labelled with the agent's name and numbered when taken, as bot-bottle
 * does; an interactive one without a label gets a random ending. One that is kept running counts as headless.
 * Source: bot-bottle.md §3.
 */
export function slugWish(request: StartRequest, isKept = false): SlugWish {
  const isHeadless = request.mode === 'headless' || isKept
  const agentName = nameOfAgent(request.agent)
  return {
    label: request.label || (isHeadless ? agentName : null),
    agentName,
    mayNumber: (isHeadless || !request.label) && !request.force,
  }
}

/** An agent may be named by its file. Pure. */
function nameOfAgent(agent: string): string {
  const parts = agent.split('/').filter((part) => part !== '')
  const file = (parts.at(-1) ?? agent).replace(/\.ya?ml$/i, '')
  return file === 'spec' ? (parts.at(-2) ?? file) : file
}

interface PreparedStart {
  readonly prepared: PreparedRun
  readonly notices: readonly string[]
  readonly plan: StartPlan
  readonly wish: SlugWish
  /** The bottle that has to go first; only with `force`. */
  readonly stale: StaleEntry | null
}

/** Everything up to the first side effect. */
async function prepare(
  deps: ArtifactDeps,
  request: StartRequest,
  signal: AbortSignal,
): Promise<PreparedStart> {
  const prepared = await prepareRun(deps, toRunRequest(request), signal)
  // One that somebody sits at is not detached, whatever its definition says.
  if (prepared.request.mode === 'interactive' && (prepared.runtime === null || request.foreground)) {
    request.requireSeat?.()
  }
  const agent = prepared.request.agent ?? request.agent
  const wish = slugWish({ ...request, agent }, prepared.runtime !== null)
  const stale = request.force ? await findStale(deps, wish, signal) : null
  const slug = stale?.slug ?? (await likelySlug(deps.root, wish))
  const draft = toLaunchPlan(deps, prepared, draftTarget(slug, null, null))
  const preflight = request.noPreflight ? [] : await prepared.backend.preflight(draft, signal)
  const notices = [...prepared.notices, ...preflight]
  return { prepared, notices, plan: describePlan(prepared, draft, notices), wish, stale }
}

/** What a start would do; writes nothing and reserves nothing. */
export async function planStart(
  deps: ArtifactDeps,
  request: StartRequest,
  signal: AbortSignal,
): Promise<StartPlan> {
  const { plan, stale } = await prepare(deps, { ...request, requireSeat: undefined }, signal)
  return stale ? { ...plan, notices: [...plan.notices, staleSentence(stale)] } : plan
}

/** Starts a new bottle; a headless one is waited for, unless it is kept running. */
export async function start(
  deps: ArtifactDeps,
  request: StartRequest,
  context: OperationContext,
): Promise<FinishedRun> {
  const { prepared, notices, wish, stale } = await prepare(deps, request, context.signal)
  for (const notice of notices) context.notice(notice)
  if (stale) await putAway(deps, stale, context)
  const launched = await launchNew(
    deps,
    prepared,
    {
      wish: stale ? { ...wish, comesAfter: stale.slug } : wish,
      op: 'start',
      label: wish.label ?? '',
      color: request.color ?? '',
      image: null,
      forkOf: null,
    },
    context,
  )
  const { slug, runId, snapshot } = launched
  const event = { slug, runId, label: wish.label ?? '', cause: 'start', snapshot } as const
  // Before the caller hears of the launch, since many then stop listening.
  await afterLaunch(deps, prepared, event, context)
  return finishRun(deps, prepared, request, { slug, runId, snapshot }, launched.ref, context)
}
