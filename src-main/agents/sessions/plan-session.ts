import type { SessionMark } from '../../../src-preload/contract/agents.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { AgentDefinition, ProviderName } from '../definitions.ts'
import type { Lifecycle, SessionMode } from '../lifecycle.ts'
import { type SessionAbility, sessionAbility } from './capabilities.ts'

/** What a call asks for; nulls leave it to the definition. */
export interface SessionWish {
  readonly mode: SessionMode | null
  readonly resumeId: string | null
}

export interface SessionInput {
  readonly provider: ProviderName
  readonly ability: SessionAbility
  /** Null: a start begins anew and a resume goes on. */
  readonly mode: SessionMode | null
  readonly maxAgeMinutes: number | null
  readonly resumeId: string | null
  /** The conversation that the files hold, as far as it is known. */
  readonly known: SessionMark | null
  /** True when somebody looked into these files and found no conversation. */
  readonly isKnownEmpty: boolean
  /** True when the files come from an earlier run. */
  readonly resuming: boolean
  /** Milliseconds since 1970. */
  readonly now: number
  /** The id that a new conversation gets, where the provider takes one. */
  readonly newId: string
}

/** How the provider's program is called. */
export interface SessionPlan {
  /** The conversation to go on with (null: the newest), or the id of the new one (null: the provider makes it). */
  readonly sessionId: string | null
  /** True passes the provider's flag for going on. */
  readonly isResuming: boolean
  /** True when the conversation is a new one. */
  readonly fresh: boolean
  readonly notices: readonly string[]
}

/**
 * Decides between a new conversation and an earlier one; the same for every backend and runtime. Pure.
 * Source: scitex §6.
 * @throws BottleError `unsupported` for a mode that the provider can't do, `not-found` where no conversation is known
 */
export function planSession(input: SessionInput): SessionPlan {
  const mode = input.mode ?? (input.resuming ? 'continue-or-new' : 'new')
  if (mode === 'new') return anew(input)
  if (mode === 'resume') return byId(input)
  requireContinuing(input, mode)
  if (!input.resuming && mode === 'continue-or-new') return anew(input)
  const { known, maxAgeMinutes } = input
  if (known && maxAgeMinutes !== null && ageMinutes(known, input.now) > maxAgeMinutes) {
    return anew(
      input,
      `The last conversation went on ${known.lastActivityAt}, which is more than ${maxAgeMinutes} minutes ago: a new one begins.`,
    )
  }
  if (known) return onward(known.id)
  if (input.isKnownEmpty && mode === 'continue-or-new') {
    return anew(input, 'Its files hold no conversation to go on with: a new one begins.')
  }
  if (!input.ability.continuesNewest) return withoutId(input, mode)
  return onward(null, unknownNotices(input))
}

function anew(input: SessionInput, ...notices: readonly string[]): SessionPlan {
  const sessionId = input.ability.takesNewId ? input.newId : null
  return { sessionId, isResuming: false, fresh: true, notices }
}

function onward(sessionId: string | null, notices: readonly string[] = []): SessionPlan {
  return { sessionId, isResuming: true, fresh: false, notices }
}

/** Never something else in silence: the named conversation, else the captured one, else an error. */
function byId(input: SessionInput): SessionPlan {
  if (!input.ability.resumesById) {
    throw bottleError(
      'unsupported',
      `${who(input)} can't go on with a conversation by its id. ${fixFor(input, 'resume')}`,
    )
  }
  const id = input.resumeId ?? input.known?.id ?? null
  if (id !== null) return onward(requireSessionId(id))
  throw bottleError(
    'not-found',
    'No conversation is known that could be resumed. Name one with --resume-id, or use --session continue-or-new.',
  )
}

/** A custom agent whose command needs an id has nothing to go on with while none is known. */
function withoutId(input: SessionInput, mode: SessionMode): SessionPlan {
  // As ever: its first command may still take the prompt, and says so.
  if (mode === 'continue-or-new') return onward(null)
  throw bottleError(
    'not-found',
    `The command of ${who(input)} needs the id of a conversation, and none is known. Name one with --session resume --resume-id ID.`,
  )
}

function requireContinuing(input: SessionInput, mode: SessionMode): void {
  const { continuesNewest, resumesById } = input.ability
  // A definition without a word about conversations starts as ever.
  if (continuesNewest || resumesById || mode === 'continue-or-new') return
  throw bottleError('unsupported', `${who(input)} can't go on with a conversation. ${fixFor(input, mode)}`)
}

function fixFor({ provider }: SessionInput, mode: SessionMode): string {
  if (provider !== 'custom') return 'Use --session new.'
  const example = mode === 'resume' ? '[my-agent, --resume, "{session}"]' : '[my-agent, --continue]'
  return `Add \`resume\` under \`command\`, for example ${example}, or use --session new.`
}

function who({ provider }: SessionInput): string {
  return provider === 'custom' ? 'This agent' : provider
}

function unknownNotices(input: SessionInput): readonly string[] {
  if (!input.resuming || input.isKnownEmpty) {
    return [`No conversation is known here; ${who(input)} is asked for the newest that it finds.`]
  }
  if (input.maxAgeMinutes === null) return []
  return ['When the last conversation went on is not known, so its greatest age could not be applied.']
}

function ageMinutes(mark: SessionMark, now: number): number {
  const at = Date.parse(mark.lastActivityAt)
  return Number.isNaN(at) ? 0 : (now - at) / 60_000
}

/** An id that can be an argument and never an option. @throws BottleError `usage` */
export function requireSessionId(id: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/.test(id)) return id
  throw bottleError(
    'usage',
    'That is not a session id: it may hold letters, digits, dots, colons and hyphens.',
  )
}

/**
 * What holds of the call, the definition and the bottle's own history. A resume goes on unless the call says
 * otherwise: `new` and `resume` in a definition are about how its first conversation begins. Pure.
 */
export function sessionWish(
  asked: SessionWish,
  defined: Lifecycle['session'],
  resuming: boolean,
): Pick<SessionInput, 'mode' | 'resumeId' | 'maxAgeMinutes'> {
  const { maxAgeMinutes } = defined
  if (asked.resumeId !== null && asked.mode !== null && asked.mode !== 'resume') {
    throw bottleError('usage', `--resume-id goes with --session resume, not with ${asked.mode}.`)
  }
  const mode = asked.resumeId !== null ? 'resume' : asked.mode
  const resumeId = asked.resumeId === null ? null : requireSessionId(asked.resumeId)
  // The bottle's own conversation comes before the one that its definition began with.
  if (mode !== null) {
    const fallback = mode === 'resume' && !resuming ? defined.resumeId : null
    return { mode, resumeId: resumeId ?? fallback, maxAgeMinutes }
  }
  if (resuming)
    return { mode: defined.mode === 'continue' ? 'continue' : null, resumeId: null, maxAgeMinutes }
  return { mode: defined.mode, resumeId: defined.resumeId, maxAgeMinutes }
}

/** The session part of a run, from everything that is known before it. @throws BottleError as `planSession` */
export function planAgentSession(
  agent: Pick<AgentDefinition, 'provider' | 'command' | 'lifecycle'>,
  asked: SessionWish,
  facts: Pick<SessionInput, 'known' | 'isKnownEmpty' | 'resuming' | 'now' | 'newId'>,
): SessionPlan {
  const wish = sessionWish(asked, agent.lifecycle.session, facts.resuming)
  // Another provider's conversation, as after a fork with another agent, is none to go on with.
  const isOwn = facts.known === null || facts.known.provider === agent.provider
  return planSession({
    ...facts,
    ...wish,
    provider: agent.provider,
    ability: sessionAbility(agent),
    known: isOwn ? facts.known : null,
    isKnownEmpty: facts.isKnownEmpty || !isOwn,
  })
}
