import type { Snapshot } from '../../src-preload/contract/index.ts'
import { withLock } from '../state/lock.ts'
import { type Metadata, requireMetadata } from '../state/metadata.ts'
import { requireSlug } from '../state/slug.ts'
import { pickSnapshot } from '../state/snapshot-files.ts'
import { bottleError, toBottleError } from '../system/bottle-error.ts'
import { snapshotView } from './adopt-committed.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import { definitionsDir } from './carried-definitions.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'
import { freezeLocked, freezeOptions } from './freeze.ts'
import { thenUnlocked } from './hooks/after-lock.ts'
import { afterLaunch } from './hooks/launch-hooks.ts'
import { NO_WISH, sessionOfSnapshot } from './known-session.ts'
import { launchNew } from './launch-new.ts'
import { draftTarget, type PreparedRun, prepareRun, toLaunchPlan } from './prepare-run.ts'
import { finishRun } from './run-lifecycle.ts'
import type { FinishedRun, ForkRequest, OperationContext } from './services.ts'

/** Launches that run side by side; more would only queue inside the engine. */
const PARALLEL = 4

/** The snapshot to fork: the named one, else the bottle as it is now, frozen first if it changed. */
async function sourceSnapshot(
  deps: BottleDeps,
  slug: string,
  metadata: Metadata,
  request: ForkRequest,
  context: OperationContext,
): Promise<Snapshot> {
  const view = await snapshotView(deps, slug, metadata, 'adopt', context.signal)
  if (request.snapshot) return pickSnapshot(slug, view.snapshots, request.snapshot)
  const backend = await deps.backends.get(metadata.backend)
  const runtime = await ownedRuntime(deps, slug, backend, context.signal)
  if (runtime && (await backend.hasChangedSince(runtime, view.current, context.signal))) {
    const { snapshot } = await freezeLocked(
      deps,
      backend,
      slug,
      runtime,
      freezeOptions('before-fork'),
      context,
    )
    context.notice(`${slug} was frozen first, as ${snapshot.id}.`)
    return snapshot
  }
  if (view.current) return view.current
  throw bottleError(
    'snapshot-missing',
    `${slug} has no snapshot and nothing to freeze, so there is nothing to fork.`,
    {
      slug,
    },
  )
}

async function prepareFork(
  deps: BottleDeps,
  metadata: Metadata,
  snapshot: Snapshot,
  request: ForkRequest,
  signal: AbortSignal,
): Promise<PreparedRun> {
  return prepareRun(
    deps,
    {
      agent: request.agent ?? (metadata.icebox?.adopted ? null : metadata.agentName || null),
      isAgentGiven: request.agent !== undefined,
      agentSource: request.agent === undefined ? metadata.icebox?.agentSource : undefined,
      bottleNames: metadata.bottleNames,
      mode: request.mode,
      prompt: request.prompt ?? null,
      backend: request.backend ?? snapshot.backend,
      cwd: request.cwd,
      copyCwd: false,
      forgeEnv: {},
      secrets: request.secrets ?? {},
      secretNames: [],
      allowMissingSecrets: request.allowMissingSecrets === true,
      unenforcedEgress: metadata.icebox?.policy === 'unenforced',
      resuming: true,
      session: NO_WISH,
      known: sessionOfSnapshot(snapshot, ''),
      carriedDir: definitionsDir(deps.root, request.slug),
      noNetwork: metadata.icebox?.policy === 'no-network',
    },
    signal,
  )
}

/**
 * Makes `count` new bottles from one snapshot, each under its own slug; the source is not touched but for a
 * freeze of newer work. Headless ones are waited for.
 * @throws BottleError; bottles that were made before a failure are kept and named in `detail`.
 */
export async function fork(
  deps: ArtifactDeps,
  request: ForkRequest,
  context: OperationContext,
): Promise<readonly FinishedRun[]> {
  const slug = requireSlug(request.slug)
  const metadata = await requireMetadata(deps.root, slug)
  const lock = { operation: 'fork', signal: context.signal }
  const { snapshot, prepared } = await thenUnlocked(context, (held) =>
    withLock(deps.root, slug, lock, async () => {
      const source = await sourceSnapshot(deps, slug, metadata, request, held)
      const prepared = await prepareFork(deps, metadata, source, request, context.signal)
      if (source.backend === prepared.backend.name) return { snapshot: source, prepared }
      const { carryAgreed } = await import('./carry/carry-agreed.ts')
      const crossing = { slug, source, prepared, metadata, agree: request.agree }
      return { snapshot: await carryAgreed(deps, crossing, held), prepared }
    }),
  )
  const draft = toLaunchPlan(deps, prepared, draftTarget(slug, { kind: 'snapshot', snapshot }, null))
  const preflight = await prepared.backend.preflight(draft, context.signal)
  for (const notice of [...prepared.notices, ...preflight]) context.notice(notice)
  return forkMany(deps, slug, metadata, snapshot, prepared, request, context)
}

async function forkMany(
  deps: BottleDeps,
  slug: string,
  metadata: Metadata,
  snapshot: Snapshot,
  prepared: PreparedRun,
  request: ForkRequest,
  context: OperationContext,
): Promise<readonly FinishedRun[]> {
  const label = request.label || `${slug}-fork`
  const launchOne = async (): Promise<FinishedRun> => {
    const launched = await launchNew(
      deps,
      prepared,
      {
        op: 'fork',
        wish: { label, agentName: metadata.agentName, mayNumber: true },
        label,
        color: metadata.color,
        image: { kind: 'snapshot', snapshot },
        forkOf: { slug, snapshot: snapshot.id },
      },
      context,
    )
    const run = { slug: launched.slug, runId: launched.runId, snapshot: snapshot.id }
    await afterLaunch(deps, prepared, { ...run, label, cause: 'fork' }, context)
    return finishRun(deps, prepared, { onLaunched: request.onLaunched }, run, launched.ref, context)
  }
  const made: FinishedRun[] = []
  const failures: unknown[] = []
  let waiting = request.count
  const worker = async (): Promise<void> => {
    while (waiting > 0) {
      waiting--
      try {
        made.push(await launchOne())
      } catch (thrown) {
        failures.push(thrown)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(PARALLEL, request.count) }, worker))
  if (failures.length > 0) throw partialFailure(failures, made, request.count)
  return made.sort((a, b) => (a.slug < b.slug ? -1 : 1))
}

function partialFailure(failures: readonly unknown[], made: readonly FinishedRun[], count: number): Error {
  const first = toBottleError(failures[0])
  if (made.length === 0) return first
  const kept = made.map((run) => run.slug).join(', ')
  return bottleError(
    first.code,
    `${failures.length} of ${count} forks failed: ${first.message} Made and kept: ${kept}.`,
    {
      detail: first.detail,
      cause: first,
    },
  )
}
