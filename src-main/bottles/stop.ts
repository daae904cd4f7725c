import type { Done } from '../../src-preload/contract/index.ts'
import { writeLaunched } from '../agents/launched-agent.ts'
import { appendJournal } from '../state/journal.ts'
import { withLock } from '../state/lock.ts'
import {
  latestRun,
  type Metadata,
  type RunOrder,
  type RunRecord,
  requireMetadata,
  requireWritable,
  withRun,
  writeMetadata,
} from '../state/metadata.ts'
import { requireSlug } from '../state/slug.ts'
import { bottleError, isBottleError } from '../system/bottle-error.ts'
import { faultPoint } from '../system/fault.ts'
import { callOff } from './call-off.ts'
import { definitionsDir } from './carried-definitions.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'
import { thenUnlocked } from './hooks/after-lock.ts'
import { withHookCounts } from './hooks/bottle-hooks.ts'
import { afterLaunch, beforeLaunch } from './hooks/launch-hooks.ts'
import { afterStop, beforeStop } from './hooks/stop-hooks.ts'
import { sessionOfRun } from './keep-session.ts'
import { type PreparedRun, prepareRun, toLaunchPlan, withSession } from './prepare-run.ts'
import { readRuntime } from './read-bottles.ts'
import { finishRun, tellLaunchNotices } from './run-lifecycle.ts'
import { orderOf, restartWish } from './run-order.ts'
import type { RunRequest } from './run-request.ts'
import type { FinishedRun, OperationContext, RestartOptions } from './services.ts'
import { type StopWay, stopRuntime } from './stop-runtime.ts'

/** Seconds that an agent gets to end by itself. */
export const GRACE_SECONDS = 10
const RESTARTING = { graceSeconds: GRACE_SECONDS, isForRestart: true }

/** Stops the agent and keeps everything; one that does not run is already stopped. */
export async function stop(
  deps: BottleDeps,
  slug: string,
  options: { readonly graceSeconds: number; readonly force?: boolean },
  context: OperationContext,
): Promise<Done> {
  requireSlug(slug)
  const event = { cause: 'stop', force: options.force } as const
  await beforeStop(deps, slug, event, context)
  return thenUnlocked(context, (held) =>
    withLock(deps.root, slug, { operation: 'stop', signal: context.signal }, async () => {
      const metadata = await requireMetadata(deps.root, slug)
      requireWritable(slug, metadata)
      const isRunning = await stopLocked(deps, slug, metadata, { ...options, isForRestart: false }, held)
      if (!isRunning) {
        await callOff(deps.root, slug)
        return { done: [`${slug} was already stopped`], left: [], unrecoverable: [] }
      }
      await appendJournal(deps.root, slug, { op: 'stop', outcome: 'done', message: 'Stopped.' })
      await afterStop(deps, slug, event, held)
      return { done: [`stopped ${slug}`], left: [], unrecoverable: [] }
    }),
  )
}

/** As `stop`, under a lock that the caller holds; false when nothing ran. */
async function stopLocked(
  deps: BottleDeps,
  slug: string,
  metadata: Metadata,
  way: StopWay,
  context: OperationContext,
): Promise<boolean> {
  const fact = await readRuntime(deps, slug, metadata.backend, context.signal)
  if (fact?.state !== 'running' && fact?.state !== 'paused') return false
  const backend = await deps.backends.get(metadata.backend)
  const runtime = await ownedRuntime(deps, slug, backend, context.signal)
  if (!runtime) return false
  await stopRuntime(deps, backend, slug, runtime, way, context)
  return true
}

/** A prompt is never kept, so a headless agent that needs one is resumed with a new one instead. */
async function prepareRestart(
  deps: BottleDeps,
  slug: string,
  metadata: Metadata,
  run: RunRecord,
  session: Pick<RunRequest, 'session' | 'known'>,
  signal: AbortSignal,
): Promise<PreparedRun> {
  const { interactive: isInteractive, order } = run
  const request: RunRequest = {
    agent: metadata.icebox?.adopted ? null : metadata.agentName || null,
    agentSource: metadata.icebox?.agentSource,
    bottleNames: metadata.bottleNames,
    mode: isInteractive ? 'interactive' : 'headless',
    prompt: null,
    backend: metadata.backend,
    cwd: metadata.cwd || null,
    copyCwd: false,
    forgeEnv: {},
    secrets: {},
    secretNames: order?.secretNames ?? [],
    allowMissingSecrets: order?.allowMissingSecrets === true,
    unenforcedEgress: metadata.icebox?.policy === 'unenforced',
    resuming: true,
    ...session,
    carriedDir: definitionsDir(deps.root, slug),
    noNetwork: metadata.icebox?.policy === 'no-network',
  }
  try {
    return await prepareRun(deps, request, signal)
  } catch (thrown) {
    if (isInteractive || !isBottleError(thrown) || thrown.code !== 'usage') throw thrown
    throw bottleError(
      'unsupported',
      `${slug} ran on a prompt, and prompts are not kept. Give it a new one: icebox resume ${slug} --headless --prompt TEXT.`,
      { slug, cause: thrown },
    )
  }
}

/** The start's own words stay; only the conversation is the one that goes on now. Pure. */
function keptOrder(run: RunRecord, prepared: PreparedRun): RunOrder {
  const order = orderOf(prepared)
  return { ...order, session: run.order?.session ?? null, resumeId: run.order?.resumeId ?? null }
}

/** Stops the agent if it runs and starts it again in the same container, on the same files. */
export async function restart(
  deps: BottleDeps,
  slug: string,
  context: OperationContext,
  options: RestartOptions = {},
): Promise<FinishedRun> {
  requireSlug(slug)
  const { signal } = context
  await options.check?.()
  await beforeStop(deps, slug, { cause: 'restart' }, context)
  const restarted = await withLock(deps.root, slug, { operation: 'restart', signal }, async () => {
    const metadata = await requireMetadata(deps.root, slug)
    requireWritable(slug, metadata)
    await options.check?.()
    const run = latestRun(metadata)
    const backend = await deps.backends.get(metadata.backend)
    const runtime = await ownedRuntime(deps, slug, backend, signal)
    if (!run || !runtime) {
      throw bottleError(
        'not-found',
        `${slug} has no container to restart. icebox resume ${slug} starts it from its snapshot.`,
        {
          slug,
        },
      )
    }
    // What stands against it is told while everything still runs.
    const seen = await sessionOfRun(deps, backend, slug, metadata, run, signal)
    const before = { session: restartWish(options.session, run.order, seen.mark !== null), known: seen }
    const drafted = await prepareRestart(deps, slug, metadata, run, before, signal)
    const wasRunning = await stopLocked(deps, slug, metadata, RESTARTING, context)
    const known = await sessionOfRun(deps, backend, slug, metadata, run, signal)
    const session = restartWish(options.session, run.order, known.mark !== null)
    const prepared = withSession({ ...drafted, request: { ...drafted.request, session } }, known)
    const plan = toLaunchPlan(deps, prepared, { slug, runId: run.id, previous: runtime, image: null })
    const event = {
      slug,
      runId: run.id,
      label: metadata.label,
      cause: 'restart',
      snapshot: run.fromSnapshot,
    } as const
    if (wasRunning) await afterStop(deps, slug, { cause: 'restart' }, context)
    await beforeLaunch(deps, prepared, event, context)
    await writeLaunched(deps.root, slug, prepared.resolved, run.id)
    const ref = await backend.restart(runtime, plan, signal)
    faultPoint('restart:after-launch')
    tellLaunchNotices(ref, context.notice)
    const now = new Date().toISOString()
    const fresh = withHookCounts(await requireMetadata(deps.root, slug), prepared.resolved)
    await writeMetadata(
      deps.root,
      slug,
      withRun(fresh, {
        ...run,
        ref,
        startedAt: now,
        exit: null,
        isStopped: false,
        isCalledOff: undefined,
        order: keptOrder(run, prepared),
      }),
    )
    const message = wasRunning ? 'Stopped and started again.' : 'Started again.'
    await appendJournal(deps.root, slug, { op: 'restart', outcome: 'done', message })
    return { run, prepared, ref, event }
  })
  const { run, prepared, ref, event } = restarted
  await afterLaunch(deps, prepared, event, context)
  const finished = { slug, runId: run.id, snapshot: run.fromSnapshot }
  return finishRun(deps, prepared, { onLaunched: options.onLaunched }, finished, ref, context)
}
