import type { AgentAccess } from '../../backends/agent-access.ts'
import type { RuntimeRef } from '../../state/runtime-ref.ts'
import type { ProviderName } from '../definitions.ts'
import { chooseSession, keepsSessionFiles, SESSION_PLACES, sessionsAmong } from '../sessions/session-files.ts'
import { readClaudeTranscript } from './claude-transcript.ts'
import { readCodexRollout } from './codex-rollout.ts'
import { type Followed, followTranscript } from './follow-transcript.ts'
import { readPiSession } from './pi-session.ts'
import type { TranscriptReader, UsageFacts } from './usage-facts.ts'

const READERS: Readonly<Record<'claude' | 'codex' | 'pi', TranscriptReader>> = {
  claude: readClaudeTranscript,
  codex: readCodexRollout,
  pi: readPiSession,
}

const LISTED = 500
/** Milliseconds by which a file may seem older than the run that made it. */
const CLOCK_SLACK = 2_000

/** The transcript of one run as it grows. */
export interface UsageSource {
  /** Reads what is new. @param sessionId the conversation that the program says it has, null when it says nothing */
  read(sessionId: string | null, signal: AbortSignal): Promise<UsageFacts>
}

/**
 * Follows the conversation of a run by its id, so that another conversation beside it, however new, is never taken for
 * it; without an id the newest one that was written since the run began.
 * @param startedAt milliseconds since 1970
 */
export function createUsageSource(
  access: AgentAccess,
  ref: RuntimeRef,
  provider: ProviderName,
  startedAt: number,
): UsageSource {
  let followed: Followed | null = null
  return {
    async read(sessionId, signal) {
      if (!keepsSessionFiles(provider)) return {}
      const { folder } = SESSION_PLACES[provider]
      const files = await access.list(ref, { base: 'home', path: folder }, LISTED, signal)
      const sessions = sessionsAmong(provider, files)
      const recent = sessions.filter(({ modifiedAt }) => modifiedAt >= startedAt - CLOCK_SLACK)
      const found =
        sessionId === null
          ? chooseSession(recent, null)
          : (sessions.find(({ id }) => id === sessionId) ?? null)
      if (found === null) return {}
      const file = { path: `${folder}/${found.path}`, bytes: found.bytes }
      followed = await followTranscript(access, ref, file, followed, READERS[provider], signal)
      return followed === null ? {} : { sessionId: found.id, ...followed.facts }
    },
  }
}

/**
 * Puts together what a transcript, a status line and the agent's hooks told. The status line's program knows its own
 * window, cost and limits; its tokens count only for the conversation that the transcript is of. Pure.
 */
export function mergeUsage(
  transcript: UsageFacts,
  status: UsageFacts | null,
  sessionId: string | null,
): UsageFacts {
  if (status === null) return { ...(sessionId === null ? {} : { sessionId }), ...transcript }
  const { tokens, percent, ...others } = status
  const isSame =
    transcript.sessionId === undefined ||
    status.sessionId === undefined ||
    transcript.sessionId === status.sessionId
  // A status line that was not drawn anew since the compaction.
  const isOutdated =
    transcript.tokens === null &&
    tokens !== undefined &&
    (tokens ?? 0) >= 0.95 * (transcript.tokensBefore ?? Infinity)
  return {
    ...transcript,
    ...others,
    ...(isSame && !isOutdated && tokens !== undefined ? { tokens } : {}),
    ...(isSame && !isOutdated && percent !== undefined ? { percent } : {}),
  }
}
