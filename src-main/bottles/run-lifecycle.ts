import { mkdir } from 'node:fs/promises'
import type { Backend, ExitFact, LaunchPlan, RuntimeRef } from '../backends/backend.ts'
import { readIntent } from '../state/intent.ts'
import { appendJournal } from '../state/journal.ts'
import { withLock } from '../state/lock.ts'
import {
  latestRun,
  type Metadata,
  type RunOrder,
  type RunRecord,
  readMetadata,
  requireMetadata,
  withRun,
  writeMetadata,
} from '../state/metadata.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { keepConversation } from './keep-session.ts'
import type { PreparedRun } from './prepare-run.ts'
import { copyRunLog } from './run-logs.ts'
import type { FinishedRun, Launched, OperationContext, StartRequest } from './services.ts'
import { withdrawMounted } from './withdraw-workspace.ts'

/** Milliseconds to wait for the lock when recording an exit: a long freeze must not lose it. */
const EXIT_LOCK_MS = 600_000

/** A run that has just been launched, as metadata keeps it. Pure. */
export function newRun(plan: LaunchPlan, ref: RuntimeRef, now: Date, order: RunOrder): RunRecord {
  return {
    id: plan.runId,
    startedAt: now.toISOString(),
    interactive: plan.tty,
    fromSnapshot: plan.image.kind === 'snapshot' ? plan.image.snapshot.id : null,
    ref,
    exit: null,
    isStopped: false,
    order,
  }
}

/** Tells what only the launch could find out, such as an image without a shell. */
export function tellLaunchNotices(ref: RuntimeRef, notice: (text: string) => void): void {
  const found = ref.facts.notices
  if (!Array.isArray(found)) return
  for (const text of found) if (typeof text === 'string') notice(text)
}

/** The run's record with its end. Pure; an end that is recorded already stays. */
export function withExit(metadata: Metadata, runId: string, exit: ExitFact, isStopped: boolean): Metadata {
  const run = metadata.icebox?.runs.find((known) => known.id === runId)
  if (!run || run.exit) return metadata
  return withRun(metadata, { ...run, exit: { code: exit.exitCode, at: exit.endedAt }, isStopped })
}

/**
 * Records an exit, once per run, whoever sees it first; wipes delivered secrets and keeps the run's output.
 * A bottle that was destroyed meanwhile has nothing to record. A restart keeps the run's id, so the exit is of the launch
 * that was waited for, told by when it began, and of no later one.
 */
export async function recordExit(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  launch: Pick<RunRecord, 'id' | 'startedAt'>,
  exit: ExitFact,
  signal: AbortSignal,
): Promise<void> {
  const options = { operation: 'record exit', waitMs: EXIT_LOCK_MS, signal }
  await withLock(deps.root, slug, options, async () => {
    const startedAt = await startOf(deps, slug, launch.id)
    if (startedAt !== launch.startedAt) return
    await recordExitLocked(deps, backend, slug, launch.id, exit, false, signal)
  })
}

/** When the newest launch of a run began, as recorded; null when it is not. */
async function startOf(deps: BottleDeps, slug: string, runId: string): Promise<string | null> {
  const read = await readMetadata(deps.root, slug)
  if (read.kind !== 'ok') return null
  return read.metadata.icebox?.runs.find((run) => run.id === runId)?.startedAt ?? null
}

/** As `recordExit`, for a caller that holds the bottle's lock. */
export async function recordExitLocked(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  runId: string,
  exit: ExitFact,
  isStopped: boolean,
  signal: AbortSignal,
): Promise<void> {
  const read = await readMetadata(deps.root, slug)
  if (read.kind !== 'ok') return
  const run = read.metadata.icebox?.runs.find((known) => known.id === runId)
  if (!run?.ref || run.exit) return
  const wasAsked = isStopped || (await isBeingStopped(deps, slug, runId))
  try {
    await tidyAfter(deps, backend, slug, read.metadata, { ...run, ref: run.ref }, signal)
  } finally {
    // Last: of a process that was killed meanwhile nobody would know that it had not wiped everything.
    await writeMetadata(deps.root, slug, withExit(read.metadata, runId, exit, wasAsked))
  }
  await appendJournal(deps.root, slug, {
    op: 'exit',
    outcome: exit.exitCode === 0 || wasAsked ? 'done' : 'failed',
    message: wasAsked
      ? 'The agent was stopped.'
      : `The agent exited with code ${exit.exitCode ?? 'unknown'}.`,
  })
}

/** Wipes what was delivered to an ended run, keeps what it said, and gives a person's own folder back. Done twice is done. */
async function tidyAfter(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  metadata: Metadata,
  run: RunRecord & { readonly ref: RuntimeRef },
  signal: AbortSignal,
): Promise<void> {
  await backend.runEnded(run.ref, signal)
  await copyRunLog(deps, backend, run.ref, signal)
  await keepConversation(deps, backend, slug, metadata, run, signal)
  const told: string[] = []
  await withdrawMounted(deps, backend, run.ref, { signal, notice: (text) => told.push(text) })
  for (const message of told) await appendJournal(deps.root, slug, { op: 'exit', outcome: 'failed', message })
}

/** True when a stop of that run was cut off after it had been written down: the end is what it asked for. */
async function isBeingStopped(deps: BottleDeps, slug: string, runId: string): Promise<boolean> {
  const intent = await readIntent(deps.root, slug)
  if (intent === null || intent === 'corrupt') return false
  return intent.op === 'stop' && intent.runId === runId && !intent.isForRestart
}

/**
 * Waits for the agent's end and records it. Without the engine's answer the code is null.
 * @throws BottleError `cancelled` when the signal aborts: the agent then goes on, and nothing is lost.
 */
export async function waitAndRecord(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  ref: RuntimeRef,
  signal: AbortSignal,
): Promise<number | null> {
  const startedAt = await startOf(deps, slug, ref.runId)
  const exit = await backend.wait(ref, signal).catch((thrown: unknown) => {
    if (!signal.aborted) throw thrown
    throw bottleError('cancelled', `Stopped waiting. ${slug} keeps running; icebox stop ${slug} ends it.`, {
      slug,
    })
  })
  if (exit === null) return recordedCode(deps, slug, ref.runId)
  if (startedAt !== null) {
    await recordExit(deps, backend, slug, { id: ref.runId, startedAt }, exit, signal)
  }
  return exit.exitCode
}

/**
 * The end of a start, resume, fork or restart: a headless run is waited for, one with a person in front or that is
 * kept running goes on, once the caller was told. With `foreground` a kept headless one is waited for too.
 */
export async function finishRun(
  deps: BottleDeps,
  prepared: Pick<PreparedRun, 'request' | 'runtime' | 'backend'>,
  wish: Pick<StartRequest, 'foreground' | 'onLaunched'>,
  run: Launched,
  ref: RuntimeRef,
  context: OperationContext,
): Promise<FinishedRun> {
  const isDetached = prepared.runtime !== null && wish.foreground !== true
  const way: Launched['way'] = isDetached ? 'detached' : prepared.request.mode
  const launched = { ...run, way }
  wish.onLaunched?.(launched)
  if (way !== 'headless') return { ...launched, exitCode: null, isDetached }
  const exitCode = await waitAndRecord(deps, prepared.backend, run.slug, ref, context.signal)
  return { ...launched, exitCode, isDetached }
}

/** The recorded code of a run whose runtime has been removed meanwhile. */
async function recordedCode(deps: BottleDeps, slug: string, runId: string): Promise<number | null> {
  const read = await readMetadata(deps.root, slug)
  if (read.kind !== 'ok') return null
  return read.metadata.icebox?.runs.find((run) => run.id === runId)?.exit?.code ?? null
}

/** Makes the folder for run logs; part of a state folder from the start. */
export async function ensureLogFolder(deps: BottleDeps, slug: string): Promise<void> {
  await mkdir(deps.root.path('state', slug, 'logs'), { recursive: true, mode: 0o700 })
}

/** Waits for the end of the bottle's current run, recording it if nobody has; null when the engine can't tell. */
export async function waitForExit(
  deps: BottleDeps,
  slug: string,
  signal: AbortSignal,
): Promise<number | null> {
  const metadata = await requireMetadata(deps.root, slug)
  const run = latestRun(metadata)
  if (!run?.ref) return null
  if (run.exit) return run.exit.code
  return waitAndRecord(deps, await deps.backends.get(metadata.backend), slug, run.ref, signal)
}
