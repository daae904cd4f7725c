import type { SessionMark } from '../../src-preload/contract/index.ts'
import { captureSession, copyTranscripts } from '../agents/sessions/capture-session.ts'
import { type FileProvider, keepsSessionFiles } from '../agents/sessions/session-files.ts'
import type { Backend } from '../backends/backend.ts'
import { appendJournal } from '../state/journal.ts'
import type { Metadata, RunRecord } from '../state/metadata.ts'
import { readSession, writeSession } from '../state/session-file.ts'
import { toFailure } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { type KnownSession, UNKNOWN_SESSION } from './known-session.ts'

/** Milliseconds that a look for the conversation may take; a freeze waits no longer for it. */
const LOOK_MS = 3000
/** Milliseconds that copying transcripts may take. */
const COPY_MS = 30_000

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
): Promise<SessionMark | null | undefined> {
  const provider = lookable(metadata, run)
  if (!provider || !run?.ref) return undefined
  const before = await readSession(deps.root, slug, run.id).catch(() => null)
  // Nothing goes on in the files of a run that has ended.
  if (before && run.exit && before.seenAt >= run.exit.at) return before.mark
  if (!backend.access) return before?.mark ?? assigned(provider, run)
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)])
    const access = await backend.access()
    const mark = await captureSession(access, run.ref, provider, limited, run.order?.sessionId ?? null)
    if (mark?.id !== before?.mark?.id || mark?.lastActivityAt !== before?.mark?.lastActivityAt || !before) {
      await writeSession(deps.root, slug, { runId: run.id, mark, seenAt: new Date().toISOString() })
    }
    return mark
  } catch {
    // The engine was slow or away; what was seen before still tells more than nothing.
    return before?.mark ?? undefined
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
): Promise<void> {
  const provider = lookable(metadata, run)
  if (!provider || !run.ref || !backend.access) return
  await lookForSession(deps, backend, slug, metadata, run, signal)
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(COPY_MS)])
    const access = await backend.access()
    const folder = deps.root.path('state', slug, 'agent', 'transcripts', requireRunId(run.id))
    // A clock in a container may lag a little behind this machine's.
    const since = Date.parse(run.startedAt) - 2000
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
