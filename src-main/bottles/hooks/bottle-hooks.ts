import type { HookPoint, HookRecord } from '../../../src-preload/contract/agents.ts'
import type { ResolvedAgent } from '../../agents/definitions.ts'
import { isNested, nestedError } from '../../agents/hooks/hook-environment.ts'
import type { HookAgent, HookContext } from '../../agents/hooks/types.ts'
import { readLaunched } from '../../agents/launched-agent.ts'
import type { Lifecycle } from '../../agents/lifecycle.ts'
import { appendJournal } from '../../state/journal.ts'
import { latestRun, type Metadata } from '../../state/metadata.ts'
import { toFailure } from '../../system/bottle-error.ts'
import type { BottleDeps } from '../deps.ts'
import type { OperationContext } from '../services.ts'

/** How many hooks stand at each point that has any; undefined without a hook. Pure. */
export function countHooks(
  resolved: Pick<ResolvedAgent, 'agent'> | null,
): Readonly<Record<string, number>> | undefined {
  const counts = Object.entries(resolved?.agent.lifecycle.hooks ?? {}).flatMap(([point, entries]) =>
    entries.length > 0 ? [[point, entries.length] as const] : [],
  )
  return counts.length > 0 ? Object.fromEntries(counts) : undefined
}

/** The metadata of a bottle whose newest run has the hooks of this definition. Pure. */
export function withHookCounts(metadata: Metadata, resolved: Pick<ResolvedAgent, 'agent'> | null): Metadata {
  const { icebox } = metadata
  return icebox ? { ...metadata, icebox: { ...icebox, hooksConfigured: countHooks(resolved) } } : metadata
}

/** True when the run was launched with hooks at the point: known from the metadata alone. Pure. */
export function hasHooks(metadata: Metadata | null, ...points: readonly HookPoint[]): boolean {
  const counts = metadata?.icebox?.hooksConfigured
  return counts !== undefined && points.some((point) => (counts[point] ?? 0) > 0)
}

/** What runs at an event of a bottle, and for whom. */
export interface HookEvent {
  readonly point: HookPoint
  readonly context: HookContext
  /** True lets the operation go on whatever a required hook says; it is told. */
  readonly force?: boolean | undefined
}

/**
 * Runs a point's hooks of the newest run, as it was launched. A bottle without hooks there costs nothing.
 * @throws BottleError `hook-failed`, `cancelled` or `busy`, at points that stand before something only
 */
export async function runBottleHooks(
  deps: BottleDeps,
  metadata: Metadata | null,
  event: HookEvent,
  context: OperationContext,
): Promise<void> {
  if (!metadata || !hasHooks(metadata, event.point)) return
  const agent = await hookAgentOf(deps, metadata)
  if (!agent) {
    const told = `The ${event.point} hooks of ${metadata.identity} could not be run: what it was launched as can't be read.`
    context.notice(told)
    await appendJournal(deps.root, metadata.identity, { op: 'hook', outcome: 'failed', message: told })
    return
  }
  await runHooks(deps, agent, event, context)
}

/** The agent whose hooks a bottle has, as its newest run was launched; null when that is not known. */
export async function hookAgentOf(deps: BottleDeps, metadata: Metadata): Promise<HookAgent | null> {
  const run = latestRun(metadata)
  const launched = run ? await readLaunched(deps.root, metadata.identity, run.id) : null
  if (!run || !launched) return null
  const { lifecycle } = launched
  return {
    slug: metadata.identity,
    runId: run.id,
    lifecycle,
    configPath: launched.file,
    screenName: lifecycle.screenName ?? metadata.identity,
    env: labelVariables(lifecycle),
    secrets: await knownSecrets(deps, metadata, lifecycle),
    agentName: launched.agent,
    label: metadata.label,
  }
}

/** The labels of a definition as variables. Pure. */
export function labelVariables(lifecycle: Pick<Lifecycle, 'labels'>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(lifecycle.labels).map(([name, value]) => [
      `ICEBOX_LABEL_${name.toUpperCase().replace(/[^A-Z0-9_]/g, '_')}`,
      value,
    ]),
  )
}

/** Values that may turn up in what a hook or an agent says, as far as they can still be had. */
export async function knownSecrets(
  deps: BottleDeps,
  metadata: Metadata,
  lifecycle: Lifecycle,
): Promise<readonly string[]> {
  return (await lookForSecrets(deps, metadata, lifecycle)).values
}

/** The same, and whether all of them could be told: a keychain may be locked now. */
export async function lookForSecrets(
  deps: BottleDeps,
  metadata: Metadata,
  lifecycle: Lifecycle,
): Promise<{ readonly values: readonly string[]; readonly isWhole: boolean }> {
  const values: string[] = []
  let isWhole = true
  const miss = (): void => {
    isWhole = false
  }
  if ((metadata.icebox?.secretNames.length ?? 0) > 0) {
    const { secretValues } = await import('../secret-values.ts')
    values.push(
      ...(await secretValues(deps, metadata.identity, () => undefined, miss)).map(({ value }) => value),
    )
  }
  if (lifecycle.envFiles.length > 0) {
    const [{ readEnvFiles }, { homedir }] = await Promise.all([
      import('../../agents/env-file.ts'),
      import('node:os'),
    ])
    // One that is gone or damaged now has no value to hide, and must not keep a freeze from happening.
    for (const file of lifecycle.envFiles) {
      const read = await readEnvFiles([file], deps.env.HOME || homedir()).catch((thrown: unknown) => {
        if (toFailure(thrown).code !== 'not-found') miss()
        return {}
      })
      values.push(...Object.values(read))
    }
  }
  return { values, isWhole }
}

/** @throws BottleError `busy` when a hook of this very point calls for the operation that it stands before */
export function refuseNested(deps: Pick<BottleDeps, 'env'>, slug: string, point: HookPoint): void {
  if (isNested(deps.env, slug, point)) throw nestedError(slug, point)
}

/** Runs a point's hooks and tells of those that failed. */
export async function runHooks(
  deps: BottleDeps,
  agent: HookAgent,
  event: HookEvent,
  context: OperationContext,
): Promise<void> {
  const entries = agent.lifecycle.hooks[event.point]
  if (entries.length === 0) return
  const { createHooks } = await import('../../agents/hooks/run-hooks.ts')
  context.progress({ phase: `${event.point} hooks`, current: null, total: null })
  const hooks = event.force
    ? { ...agent.lifecycle.hooks, [event.point]: entries.map((entry) => ({ ...entry, required: false })) }
    : agent.lifecycle.hooks
  const runner = createHooks(deps, { ...agent, lifecycle: { hooks } })
  const records = await runner.run(event.point, event.context, context.signal)
  await tellFailures(deps, agent.slug, records, context)
}

async function tellFailures(
  deps: BottleDeps,
  slug: string,
  records: readonly HookRecord[],
  context: OperationContext,
): Promise<void> {
  const { endInWords, shortRun } = await import('../../agents/hooks/run-hooks.ts')
  for (const record of records) {
    if (record.outcome === 'done') continue
    const told = `The ${record.point} hook “${shortRun(record.run)}” ${endInWords(record)}. icebox hooks ${slug} shows what it said.`
    context.notice(told)
    await appendJournal(deps.root, slug, { op: 'hook', outcome: 'failed', message: told })
  }
}
