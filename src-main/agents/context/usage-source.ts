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
      const found =
        sessionId === null
          ? chooseSession(sessions, { begunWith: null, startedAt })
          : (sessions.find(({ id }) => id === sessionId) ?? null)
      if (found === null) return {}
      const file = { path: `${folder}/${found.path}`, bytes: found.bytes }
      followed = await followTranscript(access, ref, file, followed, READERS[provider], signal)
      return followed === null ? {} : { ...followed.facts, sessionId: found.id }
    },
  }
}

/**
 * Puts together what a transcript and a status line told. Each counts for the conversation that is on; of one that is
 * over, only the limits still hold. The status line's program knows its own window, cost and limits. Pure.
 */
export function mergeUsage(
  transcript: UsageFacts,
  status: UsageFacts | null,
  sessionId: string | null,
): UsageFacts {
  const isOn = (facts: UsageFacts): boolean =>
    sessionId === null || facts.sessionId === undefined || facts.sessionId === sessionId
  const known = isOn(transcript) ? transcript : limitsOnly(transcript)
  const base = sessionId === null ? known : { ...known, sessionId }
  if (status === null) return base
  if (!isOn(status)) return { ...base, ...limitsOnly(status) }
  const { tokens, percent, ...others } = status
  // A status line that was not drawn anew since the compaction.
  const isOutdated =
    known.tokens === null &&
    tokens !== undefined &&
    (tokens ?? 0) >= 0.95 * (known.tokensBefore ?? Number.POSITIVE_INFINITY)
  return {
    ...base,
    ...others,
    ...(!isOutdated && tokens !== undefined ? { tokens } : {}),
    ...(!isOutdated && percent !== undefined ? { percent } : {}),
  }
}

function limitsOnly({ limits }: UsageFacts): UsageFacts {
  return limits === undefined ? {} : { limits }
}
