import type { FreezeReason, Snapshot } from '../../src-preload/contract/index.ts'
import type { Backend, RuntimeRef } from '../backends/backend.ts'
import type { FreezeOptions, FreezeOutcome, FreezeSubject } from '../backends/freezer.ts'
import { requireBackendName } from '../backends/registry.ts'
import { appendJournal } from '../state/journal.ts'
import { withLock } from '../state/lock.ts'
import {
  latestRun,
  type Metadata,
  type RunRecord,
  readMetadata,
  requireMetadata,
  requireWritable,
} from '../state/metadata.ts'
import { readSettings } from '../state/settings.ts'
import { requireSlug } from '../state/slug.ts'
import { currentSnapshot, readCommittedImage, readSnapshots, writeSnapshot } from '../state/snapshot-files.ts'
import { bottleError, toFailure } from '../system/bottle-error.ts'
import { callOffEnded } from './call-off.ts'
import { askToStop } from './confirm-stop.ts'
import type { BottleDeps } from './deps.ts'
import { ownedRuntime } from './find-runtime.ts'
import { later, thenUnlocked } from './hooks/after-lock.ts'
import { refuseNested, runBottleHooks } from './hooks/bottle-hooks.ts'
import { FREEZE_LOOK_MS, lookForSession } from './keep-session.ts'
import { copyRunLog } from './run-logs.ts'
import type { FreezeRequest, OperationContext } from './services.ts'
import { requireRoom } from './space-guard.ts'

export interface FreezeResult {
  readonly snapshot: Snapshot
  readonly resumeHint: string
  readonly exportHint: string | null
}

/** Metadata if it can be read; a damaged file stops a freeze only when no backend is named (case 17). */
async function metadataOrNull(deps: BottleDeps, request: FreezeRequest): Promise<Metadata | null> {
  const read = await readMetadata(deps.root, request.slug)
  if (read.kind === 'ok') return read.metadata
  if (read.kind === 'corrupt' && request.backend) return null
  return requireMetadata(deps.root, request.slug)
}

/** The snapshot that a new one grows from: the newest of this run, else the one the run was launched from. Pure. */
export function parentOf(
  snapshots: readonly Snapshot[],
  runId: string,
  fromSnapshot: string | null,
): Snapshot | null {
  return (
    snapshots.findLast((snapshot) => runId !== '' && snapshot.runId === runId) ??
    snapshots.find((snapshot) => snapshot.id === fromSnapshot) ??
    null
  )
}

function runOf(metadata: Metadata | null, runtime: RuntimeRef): RunRecord | null {
  return metadata?.icebox?.runs.find((known) => known.id === runtime.runId) ?? null
}

/**
 * Freezes under a lock that the caller holds.
 * @param prepare done once nobody objects any more, right before the capture; it keeps the agent's output too
 */
export async function freezeLocked(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  runtime: RuntimeRef,
  options: Omit<FreezeOptions, 'confirm'>,
  context: OperationContext,
  prepare?: () => Promise<void>,
): Promise<FreezeOutcome> {
  const look = async () => {
    const known = await readMetadata(deps.root, slug)
    const found = known.kind === 'ok' ? known.metadata : null
    return lookForSession(deps, backend, slug, found, runOf(found, runtime), context.signal, FREEZE_LOOK_MS)
  }
  const [read, { snapshots }, seen] = await Promise.all([
    readMetadata(deps.root, slug),
    readSnapshots(deps.root, slug),
    prepare ? undefined : look(),
    requireRoom(deps, backend, 'A freeze', context.signal),
  ])
  const metadata = read.kind === 'ok' ? read.metadata : null
  const told = { reason: options.reason, backend: backend.name }
  await runBottleHooks(deps, metadata, { point: 'pre_freeze', context: told }, context)
  await prepare?.()
  const session = prepare ? await look() : seen
  const run = runOf(metadata, runtime)
  const subject: FreezeSubject = {
    slug,
    stateDir: deps.root.path('state', slug),
    runtime,
    parent: parentOf(snapshots, runtime.runId, run?.fromSnapshot ?? null),
    agent: metadata?.agentName ?? '',
    provider: metadata?.icebox?.provider ?? '',
    session,
  }
  let copying: Promise<void> | undefined
  // The output so far is kept beside our own bookkeeping: an engine that commits makes everybody else wait.
  const copyLog = () => {
    if (prepare) return
    copying ??= copyRunLog(deps, backend, runtime, context.signal).catch((thrown: unknown) => {
      context.notice(`The agent's output could not be copied: ${toFailure(thrown).message}`)
    })
  }
  const asked = askToStop(slug, context)
  const outcome = await backend.freezer
    .freeze(
      deps.root,
      subject,
      { ...options, confirm: asked.confirm },
      (progress) => {
        context.progress(progress)
        if (progress.phase === 'verifying') copyLog()
      },
      context.signal,
    )
    .catch((thrown: unknown) => {
      throw asked.explain(thrown)
    })
  copyLog()
  await copying
  await appendJournal(deps.root, slug, {
    op: 'freeze',
    outcome: 'done',
    message: `Frozen as ${outcome.snapshot.id} (${options.reason}).`,
  })
  for (const notice of outcome.notices) context.notice(notice)
  const { id, reference, fidelity, bytes } = outcome.snapshot
  const made = { ...told, snapshot: id, reference, fidelity, bytes }
  await later(context, () => runBottleHooks(deps, metadata, { point: 'post_freeze', context: made }, context))
  return outcome
}

/**
 * Freezes a bottle, running or stopped. One that has not changed since its current snapshot keeps that one,
 * so that a repeated call makes no second copy.
 * @throws BottleError `not-found` when nothing is there to freeze, `busy`, `engine-down`, `disk-full`, …
 */
export async function freeze(
  deps: BottleDeps,
  request: FreezeRequest,
  context: OperationContext,
): Promise<FreezeResult> {
  const slug = requireSlug(request.slug)
  if (request.backend) requireBackendName(request.backend)
  refuseNested(deps, slug, 'pre_freeze')
  await metadataOrNull(deps, request)
  const options = { operation: 'freeze', signal: context.signal }
  const result = await thenUnlocked(context, (context) =>
    withLock(deps.root, slug, options, () => freezeHeld(deps, slug, request, context)),
  )
  const settings = await readSettings(deps.root)
  if (settings.autoThin === true)
    await (await import('./thin.ts')).thinAfterFreeze(deps, slug, settings, context)
  return result
}

async function freezeHeld(
  deps: BottleDeps,
  slug: string,
  request: FreezeRequest,
  context: OperationContext,
): Promise<FreezeResult> {
  const metadata = await metadataOrNull(deps, request)
  if (metadata) requireWritable(slug, metadata)
  const backend = await deps.backends.get(request.backend ?? metadata?.backend ?? '')
  const [{ snapshots }, committed] = await Promise.all([
    readSnapshots(deps.root, slug),
    readCommittedImage(deps.root, slug),
  ])
  const current = currentSnapshot(snapshots, committed)
  const ref = metadata ? latestRun(metadata)?.ref : null
  const [runtime, hasChanged] = await Promise.all([
    ownedRuntime(deps, slug, backend, context.signal),
    ref && current ? backend.hasChangedSince(ref, current, context.signal) : true,
  ])
  if (!runtime) throw nothingToFreeze(slug, backend, current)
  if (current && !hasChanged) {
    if (request.reason !== 'rule') await callOffEnded(deps, slug, context.signal)
    context.notice(`${slug} is already frozen as ${current.id}; nothing has changed since.`)
    return finish(slug, await editKept(deps, current, request), null)
  }
  const outcome = await freezeLocked(
    deps,
    backend,
    slug,
    runtime,
    freezeOptions(request.reason ?? 'user', request),
    context,
  )
  return finish(slug, outcome.snapshot, outcome.exportHint)
}

/** Options of a freeze for a reason. Pure. */
export function freezeOptions(
  reason: FreezeReason,
  request: Partial<FreezeRequest> = {},
): Omit<FreezeOptions, 'confirm'> {
  return { reason, note: request.note ?? '', label: request.label ?? '', pinned: request.pin === true }
}

async function editKept(deps: BottleDeps, current: Snapshot, request: FreezeRequest): Promise<Snapshot> {
  if (request.reason === 'rule') return current
  if (request.note === undefined && request.label === undefined && request.pin === undefined) return current
  const edited = {
    ...current,
    note: request.note ?? current.note,
    label: request.label ?? current.label,
    pinned: request.pin ?? current.pinned,
  }
  await writeSnapshot(deps.root, edited)
  return edited
}

function finish(slug: string, snapshot: Snapshot, exportHint: string | null): FreezeResult {
  return { snapshot, resumeHint: `icebox resume ${slug}`, exportHint }
}

function nothingToFreeze(slug: string, backend: Backend, current: Snapshot | null): Error {
  const what = backend.name === 'host' ? 'no live files' : `no container bot-bottle-${slug}`
  const rest = current
    ? `It is already frozen as ${current.id}: icebox resume ${slug} brings it back.`
    : 'Run icebox list to see what there is.'
  return bottleError('not-found', `There is ${what} to freeze. ${rest}`, { slug })
}
