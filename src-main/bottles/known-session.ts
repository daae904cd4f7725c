import type { SessionMark, Snapshot } from '../../src-preload/contract/index.ts'
import type { SessionWish } from '../agents/sessions/plan-session.ts'

/** What is known of the conversation in the files that a run begins with. */
export interface KnownSession {
  readonly mark: SessionMark | null
  /** True when somebody looked and found none. */
  readonly isEmpty: boolean
  /** True when the files were made at another place, so that the program would not find its conversation. */
  readonly isElsewhere: boolean
}

export const NO_SESSION: KnownSession = { mark: null, isEmpty: true, isElsewhere: false }
export const UNKNOWN_SESSION: KnownSession = { mark: null, isEmpty: false, isElsewhere: false }
export const NO_WISH: SessionWish = { mode: null, resumeId: null }

/** What a snapshot's record tells of its conversation; null is a start from nothing. Pure. */
export function sessionOfSnapshot(snapshot: Snapshot | null, slug: string): KnownSession {
  if (snapshot === null) return NO_SESSION
  const isTaken = snapshot.slug !== slug || snapshot.reason === 'carried' || snapshot.reason === 'imported'
  return {
    mark: snapshot.session ?? null,
    isEmpty: snapshot.session === null,
    isElsewhere: isTaken,
  }
}

/** The wish of a call. Pure. */
export function wishOf(request: {
  readonly session?: SessionWish['mode'] | undefined
  readonly resumeId?: string | undefined
}): SessionWish {
  return { mode: request.session ?? null, resumeId: request.resumeId ?? null }
}
