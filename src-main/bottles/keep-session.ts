import type { SessionMark } from '../../src-preload/contract/index.ts'
import { captureSession, copyTranscripts } from '../agents/sessions/capture-session.ts'
import {
  CLOCK_SLACK_MS,
  type FileProvider,
  keepsSessionFiles,
  type RunBegin,
} from '../agents/sessions/session-files.ts'
import type { Backend } from '../backends/backend.ts'
import { appendJournal } from '../state/journal.ts'
import type { Metadata, RunRecord } from '../state/metadata.ts'
import { readSession, writeSession } from '../state/session-file.ts'
import { toFailure } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { type KnownSession, UNKNOWN_SESSION } from './known-session.ts'

/** Milliseconds that a look for the conversation may take. */
const LOOK_MS = 3000
/** As `LOOK_MS`, for a freeze: whoever waits for it asked for a snapshot, not for this. */
export const FREEZE_LOOK_MS = 1000
/** Milliseconds in which an ended run's conversation is kept: whoever needs the bottle's lock waits for it. */
const KEEP_MS = 5000
/** As `KEEP_MS`, for files that go right after. */
export const LAST_KEEP_MS = 30_000

/** A run whose conversation can be looked for; null for all others. */
function lookable(metadata: Metadata | null, run: RunRecord | null): FileProvider | null {
  const provider = metadata?.icebox?.provider ?? ''
  if (!run?.ref || !keepsSessionFiles(provider) || run.order?.isSessionMoved === true) return null
  return provider
}

/**
 * The conversation of a run as its files have it now: its mark, null when there is none, undefined when nobody can
 * tell. What was seen is kept beside the run. Never fails: a conversation that could not be looked for is not known.
 */
export async function lookForSession(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  metadata: Metadata | null,
  run: RunRecord | null,
  signal: AbortSignal,
  lookMs = LOOK_MS,
): Promise<SessionMark | null | undefined> {
  const provider = lookable(metadata, run)
  if (!provider || !run?.ref) return undefined
  const seen = await readSession(deps.root, slug, run.id).catch(() => null)
  // A restart keeps the run's id, and its conversation may be another one.
  const before = seen && seen.seenAt >= run.startedAt ? seen : null
  // Nothing goes on in the files of a run that has ended.
  if (before && run.exit && before.seenAt >= run.exit.at) return before.mark
  if (!backend.access) return before?.mark ?? assigned(provider, run)
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(lookMs)])
    const access = await backend.access()
    const mark = await captureSession(access, run.ref, provider, limited, beginOf(run))
    if (mark?.id !== before?.mark?.id || mark?.lastActivityAt !== before?.mark?.lastActivityAt || !before) {
      await writeSession(deps.root, slug, { runId: run.id, mark, seenAt: new Date().toISOString() })
    }
    return mark
  } catch {
    // The engine was slow or away; what was seen before still tells more than nothing.
    return before?.mark ?? undefined
  }
}

/** One that was told to go on with whatever is newest, or of which nobody knows, has no conversation of its own. Pure. */
function beginOf({ order, startedAt }: RunRecord): RunBegin {
  const isAnybodys = order === undefined || (order.sessionId === null && order.continuesNewest !== false)
  const began = Date.parse(startedAt)
  return {
    begunWith: order?.sessionId ?? null,
    startedAt: isAnybodys || Number.isNaN(began) ? null : began,
  }
}

/** Where nobody can look, the id that the run was given is its conversation's. */
function assigned(provider: string, run: RunRecord): SessionMark | undefined {
  const id = run.order?.sessionId ?? null
  return id === null ? undefined : { provider, id, lastActivityAt: run.exit?.at ?? new Date().toISOString() }
}

/** What is known of the conversation in the files of a run that goes on in its own runtime. */
export async function sessionOfRun(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  metadata: Metadata,
  run: RunRecord,
  signal: AbortSignal,
): Promise<KnownSession> {
  const seen = await lookForSession(deps, backend, slug, metadata, run, signal)
  return { ...UNKNOWN_SESSION, mark: seen ?? null, isEmpty: seen === null }
}

/**
 * Keeps what an ended run leaves of its conversation: its mark, and its transcripts below `agent/transcripts`. Never
 * fails an operation; what could not be kept is told in the journal.
 */
export async function keepConversation(
  deps: BottleDeps,
  backend: Backend,
  slug: string,
  metadata: Metadata,
  run: RunRecord,
  signal: AbortSignal,
  keepMs = KEEP_MS,
): Promise<void> {
  const provider = lookable(metadata, run)
  if (!provider || !run.ref || !backend.access) return
  const limited = AbortSignal.any([signal, AbortSignal.timeout(keepMs)])
  await lookForSession(deps, backend, slug, metadata, run, limited)
  try {
    const access = await backend.access()
    const folder = deps.root.path('state', slug, 'agent', 'transcripts', requireRunId(run.id))
    const since = Date.parse(run.startedAt) - CLOCK_SLACK_MS
    const { isCut } = await copyTranscripts(access, run.ref, provider, { folder, since }, limited)
    if (!isCut) return
    const message = 'The transcripts of the run are longer than what is kept: the newest were copied.'
    await appendJournal(deps.root, slug, { op: 'transcripts', outcome: 'notice', message })
  } catch (thrown) {
    const message = `The transcripts of the run could not be copied: ${toFailure(thrown, slug).message}`
    await appendJournal(deps.root, slug, { op: 'transcripts', outcome: 'notice', message })
  }
}

/** It becomes the name of a folder. */
function requireRunId(runId: string): string {
  if (!/^[0-9a-zA-Z]{1,64}$/.test(runId)) throw new Error('not a run id')
  return runId
}
