import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import type { Difference, StartPlan } from '../../src-preload/contract/index.ts'
import type { ResolvedAgent } from '../agents/definitions.ts'
import type { AgentRuntime } from '../agents/lifecycle.ts'
import { openManifestIndex, resolveAgent, withNamedAgent } from '../agents/manifest-index.ts'
import { type PlannedRun, planRun } from '../agents/plan-run.ts'
import type { PlanInput } from '../agents/plan-types.ts'
import { withRecordedAgent } from '../agents/recorded-agent.ts'
import { resolveSecrets, validateForgeEnv } from '../agents/secrets.ts'
import { planAgentSession, type SessionPlan } from '../agents/sessions/plan-session.ts'
import type { Backend, ImageSource, LaunchPlan, RuntimeRef } from '../backends/backend.ts'
import { requireBackendName } from '../backends/registry.ts'
import { bottleError } from '../system/bottle-error.ts'
import { defaultEngine } from './default-engine.ts'
import type { BottleDeps } from './deps.ts'
import type { KnownSession } from './known-session.ts'
import { pinImage } from './pin-image.ts'
import { newRunId } from './run-id.ts'
import {
  envFileValues,
  modeOf,
  requireAccess,
  requireCopied,
  requireVenv,
  runtimeOf,
  templateSecrets,
  templateValues,
} from './run-needs.ts'
import type { RunRequest } from './run-request.ts'

export interface PreparedRun {
  /** Its `mode` is the one that the run gets. */
  readonly request: RunRequest
  readonly resolved: ResolvedAgent | null
  readonly planned: PlannedRun
  /** Null for a bottle without an agent. */
  readonly session: SessionPlan | null
  /** What keeps the run going while nobody waits for it; null for one as the call asks. */
  readonly runtime: AgentRuntime | null
  readonly backend: Backend
  /** Also of variables that only others take in: a backend gets those that are named. */
  readonly secretValues: Readonly<Record<string, string>>
  /** Names that come from files of variables, beside the plan's own. */
  readonly envFileNames: readonly string[]
  /** What is told beside the plan's own notices. */
  readonly told: readonly string[]
  readonly notices: readonly string[]
}

const EMPTY_RUN: PlannedRun = {
  image: { kind: 'none' },
  argv: null,
  prompt: null,
  env: {},
  secretNames: [],
  sidecars: [],
  mounts: [],
  resources: { cpus: null, memoryBytes: null },
  user: null,
  workdir: null,
  network: 'default',
  homeFiles: {},
  notices: [],
  multiplexer: 'tmux',
  forgeSidecar: false,
}

/**
 * Reads the definitions, plans the run and finds every secret, all before any side effect.
 * @throws BottleError `not-found`, `manifest-invalid`, `secret-missing`, `unknown-backend`, `usage`, …
 */
export async function prepareRun(
  deps: BottleDeps,
  request: RunRequest,
  signal: AbortSignal,
): Promise<PreparedRun> {
  if (request.backend !== null) requireBackendName(request.backend)
  requireTaker(request)
  await requireCwd(request)
  validateForgeEnv(request.forgeEnv)
  const resolved = request.agent === null ? null : await resolve(deps, request.agent, request)
  const choice = await chooseBackend(deps, request, resolved, signal)
  const runtime = runtimeOf(request, resolved)
  requireAccess(runtime, choice.backend)
  // One that was named by its file is known by its own name from here on.
  const agent = resolved?.agent.name ?? request.agent
  const settled = { ...request, agent, mode: modeOf(request, runtime) }
  const drawn = draw(settled, resolved, runtime, choice.backend)
  // A resume has its files from a snapshot.
  const planned = request.resuming
    ? drawn.planned
    : await pinImage(drawn.planned, choice.backend.name, deps.env, signal)
  const wanted = [
    ...new Set([...planned.secretNames, ...planned.sidecars.flatMap((sidecar) => sidecar.secretNames)]),
  ]
  const { values, missing } = await resolveSecrets(wanted, {
    given: { ...templateValues(resolved, deps.env), ...request.secrets },
    env: deps.env,
    store: await deps.secrets(),
    allowMissing: request.allowMissingSecrets,
  })
  const missed = missing.length > 0 ? [`Started without these secrets: ${missing.join(', ')}.`] : []
  const fromFiles = await envFileValues(deps, request, resolved, Object.keys(planned.env), values)
  await requireVenv(resolved, choice.backend)
  const copied = await requireCopied(request, resolved)
  const told = [...(resolved?.notices ?? []), ...choice.notices, ...missed, ...fromFiles.notices, ...copied]
  return {
    request: settled,
    resolved,
    planned,
    session: drawn.session,
    runtime,
    backend: choice.backend,
    secretValues: { ...templateSecrets(resolved, deps.env), ...fromFiles.values, ...values },
    envFileNames: Object.keys(fromFiles.values),
    told,
    notices: [...told, ...planned.notices],
  }
}

/** The plan of a run and of its conversation. Pure but for the id of a new conversation. @throws BottleError */
function draw(
  request: RunRequest,
  resolved: ResolvedAgent | null,
  runtime: AgentRuntime | null,
  backend: Backend,
): Pick<PreparedRun, 'planned' | 'session'> {
  if (!resolved) {
    const planned = { ...EMPTY_RUN, ...(request.noNetwork ? { network: 'none' as const } : {}) }
    return { planned, session: null }
  }
  const { known } = request
  const session = planAgentSession(resolved.agent, request.session, {
    known: known.mark,
    isKnownEmpty: known.isEmpty,
    resuming: request.resuming,
    now: Date.now(),
    newId: randomUUID(),
  })
  const input: PlanInput = {
    resolved,
    mode: request.mode,
    prompt: request.prompt,
    backend: backend.name,
    resuming: request.resuming,
    session,
    bringsSession: known.isElsewhere,
    runtime,
    unenforcedEgress: request.unenforcedEgress,
    secretNames: request.secretNames,
    cwd: request.cwd,
  }
  return { planned: planRun(input), session }
}

/** The same run once it is settled which files it begins with; for a resume, whose image is its snapshot. @throws BottleError */
export function withSession(prepared: PreparedRun, known: KnownSession): PreparedRun {
  const request = { ...prepared.request, known }
  const { planned, session } = draw(request, prepared.resolved, prepared.runtime, prepared.backend)
  return { ...prepared, request, planned, session, notices: [...prepared.told, ...planned.notices] }
}

async function resolve(deps: BottleDeps, agent: string, request: RunRequest): Promise<ResolvedAgent> {
  const known = await openManifestIndex(deps.root, request.cwd, { env: deps.env })
  const recorded = await withRecordedAgent(known, agent, request.agentSource ?? '')
  const index = request.isAgentGiven === true ? withNamedAgent(recorded, agent) : recorded
  if (request.carriedDir === undefined) return resolveAgent(index, agent, request.bottleNames)
  const { resolveCarried } = await import('../agents/carried-definitions.ts')
  return resolveCarried(index, request.carriedDir, agent, request.bottleNames)
}

/** A prompt that nobody takes would look like work that was done. @throws BottleError `usage` */
function requireTaker(request: RunRequest): void {
  if (request.agent !== null || !request.prompt) return
  throw bottleError(
    'usage',
    'This bottle has no agent that could take a prompt: without one it runs its image’s own command. Resume it ' +
      'without a prompt, or give it an agent with `icebox fork SLUG --agent AGENT --prompt …`.',
  )
}

async function requireCwd(request: RunRequest): Promise<void> {
  if (!request.cwd || request.resuming) return
  const found = isAbsolute(request.cwd) ? await stat(request.cwd).catch(() => null) : null
  if (!found?.isDirectory()) {
    throw bottleError('not-found', `There is no folder ${request.cwd}. Name an existing one with --cwd.`)
  }
}

/**
 * The call's backend, else the definition's, else the environment's, else Docker where it is installed, the next
 * container engine that is, and this machine where none is. An engine that is installed but down is never replaced in silence.
 */
async function chooseBackend(
  deps: BottleDeps,
  request: RunRequest,
  resolved: ResolvedAgent | null,
  signal: AbortSignal,
): Promise<{ readonly backend: Backend; readonly notices: readonly string[] }> {
  const named =
    request.backend ??
    resolved?.bottle.backend ??
    deps.env.ICEBOX_BACKEND ??
    deps.env.BOT_BOTTLE_BACKEND ??
    null
  if (named !== null && named !== '') return { backend: await deps.backends.get(named), notices: [] }
  const found = await defaultEngine(deps.backends, null, signal)
  if (found) {
    const notice = `Docker is not installed, so this bottle runs on ${found.report.title}.`
    return { backend: found.backend, notices: found.backend.name === 'docker' ? [] : [notice] }
  }
  const needsImage = Boolean(resolved?.bottle.image ?? resolved?.bottle.build)
  if (needsImage) return { backend: await deps.backends.get('docker'), notices: [] }
  return {
    backend: await deps.backends.get('host'),
    notices: ['No container engine is installed, so this bottle runs on this machine.'],
  }
}

export interface LaunchTarget {
  readonly slug: string
  readonly runId: string
  readonly previous: RuntimeRef | null
  /** Null takes what the definition says. */
  readonly image: ImageSource | null
}

/** The folder that a new workspace is a copy of: the call's, else the definition's. Pure. */
function copiedFolder({ request, resolved }: PreparedRun): string | null {
  return request.copyCwd ? request.cwd : (resolved?.agent.copyFrom ?? null)
}

/** The plan that a backend launches. Pure. */
export function toLaunchPlan(deps: BottleDeps, prepared: PreparedRun, target: LaunchTarget): LaunchPlan {
  const { planned, request, secretValues } = prepared
  const pick = (names: readonly string[]) =>
    Object.fromEntries(
      names.flatMap((name) => (name in secretValues ? [[name, secretValues[name] ?? '']] : [])),
    )
  const image = target.image ?? planned.image
  return {
    slug: target.slug,
    runId: target.runId,
    rootId: deps.root.id,
    stateDir: deps.root.path('state', target.slug),
    previous: target.previous,
    image,
    argv: planned.argv,
    prompt: planned.prompt,
    env: planned.env,
    secrets: pick([...planned.secretNames, ...prepared.envFileNames]),
    forgeEnv: request.forgeEnv,
    user: planned.user,
    workdir: planned.workdir,
    mounts: planned.mounts,
    resources: planned.resources,
    sidecars: planned.sidecars.map(({ secretNames, ...sidecar }) => ({
      ...sidecar,
      secrets: pick(secretNames),
    })),
    network: planned.network,
    // A snapshot holds the workspace already; copying again would overwrite newer work (case 33).
    copyCwd: image.kind === 'snapshot' ? null : copiedFolder(prepared),
    tty: request.mode === 'interactive',
    ...(planned.multiplexer === 'screen' ? { multiplexer: planned.multiplexer } : {}),
    homeFiles: planned.homeFiles,
    ...(planned.merged ? { merged: planned.merged } : {}),
  }
}

/** Writes the Dockerfile that Icebox ships for a provider, when the plan builds it. Comes before a launch. */
export async function writeBuildContext(prepared: PreparedRun, plan: LaunchPlan): Promise<void> {
  const { providerImage } = prepared.planned
  if (!providerImage || plan.image.kind !== 'build') return
  const { writeProviderContext } = await import('../agents/images/provider-images.ts')
  await writeProviderContext(providerImage, plan.image.context)
}

/** What a dry run shows. Pure but for the preflight's notices that the caller passes in. */
export function describePlan(
  prepared: PreparedRun,
  plan: LaunchPlan,
  notices: readonly string[],
  differences?: readonly Difference[],
): StartPlan {
  return {
    slug: plan.slug,
    agent: prepared.request.agent ?? '',
    agentSource: prepared.resolved
      ? `${prepared.resolved.agent.source}: ${prepared.resolved.agent.file}`
      : '',
    provider: prepared.resolved?.agent.provider ?? '',
    backend: prepared.backend.name,
    bottles: [...(prepared.resolved?.bottleNames ?? prepared.request.bottleNames)],
    image: { source: plan.image.kind, reference: imageReference(plan.image) },
    argv: [...(plan.argv ?? [])],
    workdir: plan.workdir ?? '',
    envNames: Object.keys(plan.env),
    secretNames: [...prepared.planned.secretNames, ...prepared.envFileNames],
    mounts: plan.mounts.map(
      (mount) => `${mount.type} ${mount.source} → ${mount.target}${mount.readOnly ? ' (read-only)' : ''}`,
    ),
    sidecars: plan.sidecars.map((sidecar) => sidecar.name),
    network: plan.network,
    notices: [...notices],
    ...(differences ? { differences: [...differences] } : {}),
  }
}

function imageReference(image: ImageSource): string {
  switch (image.kind) {
    case 'image':
      return image.reference
    case 'build':
      return `${image.context}/${image.dockerfile}`
    case 'snapshot':
      return image.snapshot.reference
    case 'none':
      return ''
  }
}

/** A launch target for a preflight or dry run, before a slug is reserved. */
export function draftTarget(
  slug: string,
  image: ImageSource | null,
  previous: RuntimeRef | null,
): LaunchTarget {
  return { slug, runId: newRunId(), previous, image }
}
