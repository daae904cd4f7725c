import type { HookAgent, HookContext } from '../../agents/hooks/types.ts'
import { needsSupervision } from '../../agents/lifecycle.ts'
import { readMetadata } from '../../state/metadata.ts'
import type { BottleDeps } from '../deps.ts'
import type { PreparedRun } from '../prepare-run.ts'
import type { OperationContext } from '../services.ts'
import { countHooks, labelVariables, runHooks } from './bottle-hooks.ts'

/** What launches an agent. */
export type LaunchCause = 'start' | 'fork' | 'resume' | 'restart'

export interface LaunchEvent {
  readonly slug: string
  readonly runId: string
  readonly label: string
  readonly cause: LaunchCause
  /** The snapshot that the run begins with; null for none. */
  readonly snapshot: string | null
}

/** The agent of a run that is being launched; null for a bottle without an agent. Pure. */
export function launchAgent(
  prepared: Pick<PreparedRun, 'resolved' | 'secretValues' | 'request'>,
  event: Pick<LaunchEvent, 'slug' | 'runId' | 'label'>,
): HookAgent | null {
  const { resolved, secretValues, request } = prepared
  if (!resolved) return null
  const { agent } = resolved
  return {
    slug: event.slug,
    runId: event.runId,
    lifecycle: agent.lifecycle,
    configPath: agent.file,
    screenName: agent.lifecycle.screenName ?? event.slug,
    env: labelVariables(agent.lifecycle),
    secrets: [...Object.values(secretValues), ...Object.values(request.forgeEnv)],
    agentName: agent.name,
    label: event.label,
  }
}

function contextOf(prepared: Pick<PreparedRun, 'backend'>, event: LaunchEvent): HookContext {
  return { cause: event.cause, backend: prepared.backend.name, snapshot: event.snapshot }
}

/** @throws BottleError `hook-failed`, `cancelled` or `busy`: then nothing may be launched */
export async function beforeLaunch(
  deps: BottleDeps,
  prepared: PreparedRun,
  event: LaunchEvent,
  context: OperationContext,
): Promise<void> {
  const agent = launchAgent(prepared, event)
  if (!agent) return
  await runHooks(deps, agent, { point: 'pre_start', context: contextOf(prepared, event) }, context)
}

/**
 * After the launch, outside the bottle's lock, so that hooks may call Icebox for the bottle. First of all somebody has
 * to look after the agent: a hook may take long, and whoever launched it may be killed meanwhile.
 */
export async function afterLaunch(
  deps: BottleDeps,
  prepared: PreparedRun,
  event: LaunchEvent,
  context: OperationContext,
): Promise<void> {
  const lifecycle = prepared.resolved?.agent.lifecycle
  if (lifecycle && needsSupervision(lifecycle)) {
    const { ensureSupervisor } = await import('../supervise/ensure-supervisor.ts')
    await ensureSupervisor(deps, event.slug, lifecycle, context.notice)
  }
  const agent = launchAgent(prepared, event)
  if (!agent) return
  const told = contextOf(prepared, event)
  await runHooks(deps, agent, { point: 'post_start', context: told }, context)
  if (event.cause === 'resume') await runHooks(deps, agent, { point: 'on_resume', context: told }, context)
}

const asked = new WeakSet<OperationContext>()

/** As `beforeLaunch`, once per resume: one whose snapshot turns out to be gone is launched a second time. */
export async function beforeResume(
  deps: BottleDeps,
  prepared: PreparedRun,
  run: Pick<LaunchEvent, 'slug' | 'runId' | 'snapshot'>,
  context: OperationContext,
): Promise<void> {
  if (asked.has(context)) return
  asked.add(context)
  if (!countHooks(prepared.resolved)) return
  const label = await labelOf(deps, run.slug)
  await beforeLaunch(deps, prepared, { ...run, cause: 'resume', label }, context)
}

/** As `afterLaunch`, for a bottle that was there before. */
export async function afterResume(
  deps: BottleDeps,
  prepared: PreparedRun,
  run: Pick<LaunchEvent, 'slug' | 'runId' | 'snapshot'>,
  context: OperationContext,
): Promise<void> {
  const label = countHooks(prepared.resolved) ? await labelOf(deps, run.slug) : ''
  await afterLaunch(deps, prepared, { ...run, cause: 'resume', label }, context)
}

async function labelOf(deps: BottleDeps, slug: string): Promise<string> {
  const read = await readMetadata(deps.root, slug)
  return read.kind === 'ok' ? read.metadata.label : ''
}
