import { writeLaunched } from '../agents/launched-agent.ts'
import { clearIntent, type Intent, readIntent, writeIntent } from '../state/intent.ts'
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
import type { RuntimeRef } from '../state/runtime-ref.ts'
import { requireSlug } from '../state/slug.ts'
import { bottleError, isBottleError } from '../system/bottle-error.ts'
import { faultPoint } from '../system/fault.ts'
import { definitionsDir } from './carried-definitions.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'
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
import { GRACE_SECONDS, stopLocked } from './stop.ts'

/** Milliseconds in which an engine tells what became of a restart that failed. */
const SETTLE_MS = 5000
/** Failures that are not the engine's own answer. */
const UNANSWERED: ReadonlySet<string> = new Set(['cancelled', 'timeout', 'engine-down'])
const RESTARTING = { graceSeconds: GRACE_SECONDS, isForRestart: true }

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

/** What recovery has to know of a restart: the run keeps its id and its runtime. Pure. */
function restartIntent(run: RunRecord, runtime: RuntimeRef, order: RunOrder, startedAt: string): Intent {
  return {
    op: 'restart',
    runId: run.id,
    previous: null,
    runtime,
    snapshotId: null,
    target: null,
    draft: null,
    launch: {
      interactive: run.interactive,
      fromSnapshot: run.fromSnapshot,
      order,
      startedAt,
      formerEnd: run.exit?.at,
    },
  }
}

/** The run as its own stop has left it. */
async function formerRun(deps: BottleDeps, slug: string, run: RunRecord): Promise<RunRecord> {
  return latestRun(await requireMetadata(deps.root, slug)) ?? run
}

/**
 * The backend has taken a failed launch back. Where it could not, or where the engine may still be at work on a request
 * that nobody waits for any more, the intent stays, and recovery finds out.
 */
async function settleFailure(
  deps: BottleDeps,
  slug: string,
  { backend }: Metadata,
  thrown: unknown,
): Promise<void> {
  if (!isBottleError(thrown) || UNANSWERED.has(thrown.code)) return
  const limited = AbortSignal.timeout(SETTLE_MS)
  const fact = await readRuntime(deps, slug, backend, limited).catch(() => undefined)
  if (fact === null || fact?.state === 'exited') await clearIntent(deps.root, slug)
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
    if ((await readIntent(deps.root, slug)) !== null) {
      const text = `What was cut off of ${slug} is still being put in order. Try again in a moment.`
      throw bottleError('busy', text, { slug })
    }
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
    const order = keptOrder(run, prepared)
    const startedAt = new Date().toISOString()
    await writeIntent(
      deps.root,
      slug,
      restartIntent(await formerRun(deps, slug, run), runtime, order, startedAt),
    )
    faultPoint('restart:after-intent')
    const ref = await backend.restart(runtime, plan, signal).catch(async (thrown: unknown) => {
      await settleFailure(deps, slug, metadata, thrown)
      throw thrown
    })
    faultPoint('restart:after-launch')
    tellLaunchNotices(ref, context.notice)
    const fresh = withHookCounts(await requireMetadata(deps.root, slug), prepared.resolved)
    await writeMetadata(
      deps.root,
      slug,
      withRun(fresh, {
        ...run,
        ref,
        startedAt,
        exit: null,
        isStopped: false,
        isCalledOff: undefined,
        order,
      }),
    )
    faultPoint('restart:after-record')
    await clearIntent(deps.root, slug)
    const message = wasRunning ? 'Stopped and started again.' : 'Started again.'
    await appendJournal(deps.root, slug, { op: 'restart', outcome: 'done', message })
    return { run, prepared, ref, event }
  })
  const { run, prepared, ref, event } = restarted
  await afterLaunch(deps, prepared, event, context)
  const finished = { slug, runId: run.id, snapshot: run.fromSnapshot }
  return finishRun(deps, prepared, { onLaunched: options.onLaunched }, finished, ref, context)
}
