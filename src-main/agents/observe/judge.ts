import type { AgentSample } from '../../../src-preload/contract/agents.ts'
import type { Lifecycle } from '../lifecycle.ts'
import { resetTime } from './reset-time.ts'
import type { ScreenSigns } from './screen-signs.ts'
import type { AgentEvent, Observation } from './types.ts'

export interface Judgement {
  readonly state: AgentSample['state']
  readonly reason: string | null
}

/** Milliseconds for which a hook's word counts more than a screen that may not be painted yet. */
const FRESH_EVENT = 1_000
/** Milliseconds after which a runner that writes every ten seconds is late. */
export const HEARTBEAT_LATE = 35_000

/** The agent's state by the newest evidence; null when there is none. Pure. */
export function judge(
  seen: Observation,
  signs: ScreenSigns | null,
  previous: AgentSample | null,
  lifecycle: Lifecycle,
): Judgement {
  if (seen.run === 'ended') {
    return { state: 'exited', reason: seen.exitCode === null ? null : `It ended with code ${seen.exitCode}.` }
  }
  const judged =
    (signs && byScreen(seen, signs, previous)) ??
    byHeartbeat(seen) ??
    byEvents(seen) ??
    byTranscript(seen) ??
    byOutput(seen, lifecycle)
  if (judged?.state !== 'working') return judged ?? { state: null, reason: null }
  return stuckOr(judged, seen, lifecycle)
}

function byScreen(seen: Observation, signs: ScreenSigns, previous: AgentSample | null): Judgement | null {
  if (signs.isWorking) return { state: 'working', reason: null }
  if (signs.signIn !== null) return { state: 'signed-out', reason: signs.signIn }
  if (signs.limit !== null) {
    const since =
      previous?.state === 'limited' && previous.reason === signs.limit ? Date.parse(previous.since) : seen.now
    const ends = resetTime(signs.limit, since)
    if (ends === null || seen.now < ends) return { state: 'limited', reason: signs.limit }
  }
  if (signs.question !== null) return { state: 'waiting', reason: signs.question }
  if (!signs.hasInput) return null
  const last = lastTold(seen.events)
  const isAtWork = last?.kind === 'prompt' || last?.kind === 'tool' || last?.kind === 'tool-done'
  if (isAtWork && last.at !== null && seen.now - last.at < FRESH_EVENT)
    return { state: 'working', reason: null }
  if (signs.unsent !== null)
    return { state: 'waiting', reason: `Unsent text in its input line: ${signs.unsent}` }
  return { state: 'waiting', reason: null }
}

function byHeartbeat(seen: Observation): Judgement | null {
  const { heartbeat, now } = seen
  if (heartbeat === null) return null
  if (now - heartbeat.at > HEARTBEAT_LATE) {
    const seconds = Math.round((now - heartbeat.at) / 1000)
    return { state: 'stuck', reason: `Its runner has given no sign for ${seconds} s.` }
  }
  if (heartbeat.state === 'idle') return byTrouble(seen) ?? { state: 'waiting', reason: null }
  return { state: 'working', reason: null }
}

/** The last event that tells whether somebody's turn it is. */
function lastTold(events: readonly AgentEvent[]): AgentEvent | null {
  return events.findLast(({ kind }) => kind !== 'subagent-stop' && kind !== 'session') ?? null
}

function byEvents(seen: Observation): Judgement | null {
  const last = lastTold(seen.events)
  switch (last?.kind) {
    case 'prompt':
    case 'tool':
    case 'tool-done':
    case 'compact':
      return { state: 'working', reason: null }
    case 'stop':
      return { state: 'waiting', reason: null }
    case 'notification':
      return { state: 'waiting', reason: isIdleNotice(last.text) ? null : last.text }
    default:
      return null
  }
}

/** What claude says after a minute of silence asks nothing in particular. */
function isIdleNotice(text: string | null): boolean {
  return text !== null && /\bis waiting for your input\b/.test(text)
}

function byTranscript(seen: Observation): Judgement | null {
  const { turn } = seen.usage
  const trouble = byTrouble(seen)
  if (trouble !== null) return trouble
  if (turn === 'answer') return { state: 'waiting', reason: null }
  return turn === undefined ? null : { state: 'working', reason: null }
}

/** What the provider's service refused last, while that lasts. */
function byTrouble({ usage, now }: Observation): Judgement | null {
  const { trouble, activityAt } = usage
  if (trouble?.kind === 'sign-in') return { state: 'signed-out', reason: trouble.text }
  if (trouble?.kind !== 'limit') return null
  const ends = resetTime(trouble.text.slice(0, 300), activityAt ?? now)
  return ends === null || now < ends ? { state: 'limited', reason: trouble.text } : null
}

/** A headless agent has nobody to wait for, so one that was heard of is at work. */
function byOutput({ outputAt }: Observation, { runtime }: Lifecycle): Judgement | null {
  return runtime === null && outputAt !== null ? { state: 'working', reason: null } : null
}

/** At a terminal output is the sign of work: a turn that only thinks shows its seconds. Headless it may be silent. */
function stuckOr(judged: Judgement, seen: Observation, lifecycle: Lifecycle): Judgement {
  const { outputAt, screen, now } = seen
  if (outputAt === null || screen === null) return judged
  const silent = Math.floor((now - outputAt) / 1000)
  if (silent < lifecycle.health.stuckSeconds) return judged
  return { state: 'stuck', reason: `It seems at work, but nothing came from it for ${spanText(silent)}.` }
}

function spanText(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`
}
