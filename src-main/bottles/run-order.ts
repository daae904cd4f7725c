import { needsSupervision, SESSION_MODES, type SessionMode } from '../agents/lifecycle.ts'
import type { SessionWish } from '../agents/sessions/plan-session.ts'
import { movesSessions } from '../agents/sessions/session-files.ts'
import type { RunOrder } from '../state/metadata.ts'
import type { PreparedRun } from './prepare-run.ts'

/** What is kept of how a run was asked for. Pure. */
export function orderOf({
  request,
  resolved,
  planned,
  session,
  runtime,
  envFileNames,
}: PreparedRun): RunOrder {
  const names = [...Object.keys(planned.env), ...planned.secretNames, ...envFileNames]
  return {
    runtime,
    session: request.session.mode,
    resumeId: request.session.resumeId,
    sessionId: session?.sessionId ?? null,
    continuesNewest: session === null || (session.isResuming && session.sessionId === null),
    isSessionMoved: resolved !== null && movesSessions(resolved.agent.provider, names),
    secretNames: request.secretNames,
    allowMissingSecrets: request.allowMissingSecrets,
    envFiles: envFileNames.length > 0 ? (resolved?.agent.lifecycle.envFiles ?? []) : [],
    isSupervised: resolved !== null && needsSupervision(resolved.agent.lifecycle),
  }
}

/** A mode as a record has it; null for none and for one of a later version. Pure. */
export function toMode(text: string | null | undefined): SessionMode | null {
  return SESSION_MODES.find((mode) => mode === text) ?? null
}

/**
 * What a restart says of the conversation: the call's word, else that of the start. A conversation that the start named
 * by its id is the bottle's own by now, and goes on under the id that was captured. Pure.
 */
export function restartWish(
  asked: SessionMode | undefined,
  order: RunOrder | undefined,
  isKnown: boolean,
): SessionWish {
  const mode = asked ?? toMode(order?.session)
  if (mode !== 'resume' && !(asked === undefined && order?.resumeId)) return { mode, resumeId: null }
  return { mode: 'resume', resumeId: isKnown ? null : (order?.resumeId ?? null) }
}
