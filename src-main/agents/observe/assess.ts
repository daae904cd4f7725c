import type { AgentSample, Tri, UsageLimit } from '../../../src-preload/contract/agents.ts'
import { percentOf } from '../context/model-window.ts'
import { short, type UsageFacts } from '../context/usage-facts.ts'
import type { ProviderName } from '../definitions.ts'
import type { Lifecycle } from '../lifecycle.ts'
import { redactLines, redactText } from '../redact.ts'
import { HEARTBEAT_LATE, judge } from './judge.ts'
import { resetTime } from './reset-time.ts'
import type { ScreenSigns } from './screen-signs.ts'
import { shownSigns } from './shown-signs.ts'
import type { Observation } from './types.ts'

/** Rows of the screen that are kept. */
const SCREEN_ROWS = 40
const REASON_MAX = 400

const tri = (value: boolean | null): Tri => (value === null ? 'unknown' : value ? 'yes' : 'no')

/** What is to be told of an agent at one moment; evidence that is missing makes things unknown, never false. Pure. */
export function assess(
  seen: Observation,
  previous: AgentSample | null,
  lifecycle: Lifecycle,
  _provider: ProviderName,
): AgentSample {
  const before = previous?.runId === seen.runId ? previous : null
  const rows = seen.screen && redactLines(seen.screen.lines, seen.secrets)
  const signs = seen.screen && rows && seen.run !== 'ended' ? shownSigns(seen.screen.lines, rows) : null
  const { state, reason } = judge(seen, signs, before, lifecycle)
  const { usage } = seen
  const isSame = before !== null && before.state === state
  const hide = (text: string | null | undefined): string | null =>
    text === null || text === undefined ? null : redactText(text, seen.secrets)
  const preview = (text: string | null | undefined, most: number): string | null => {
    const hidden = hide(text)
    return hidden && short(hidden, most)
  }
  const tokens = usage.tokens ?? null
  const last = seen.events.at(-1)
  const activity = Math.max(usage.activityAt ?? 0, last?.at ?? 0) || seen.outputAt
  return {
    version: 1,
    slug: seen.slug,
    runId: seen.runId,
    at: new Date(seen.now).toISOString(),
    state,
    reason: reasonText(hide(reason)),
    since: isSame ? before.since : new Date(seen.now).toISOString(),
    ...signals(seen, signs, state),
    contextPercent: percentOf(tokens, seen.contextWindow) ?? told(usage, tokens),
    contextTokens: tokens,
    contextWindow: seen.contextWindow,
    model: hide(usage.model),
    sessionId: hide(usage.sessionId),
    costUsd: usage.costUsd ?? null,
    limits: limitsOf(usage, signs, before, seen.now),
    currentTool: hide(usage.tool),
    currentToolInput: preview(usage.toolInput, 120),
    lastUserMessage: preview(usage.userMessage, 200),
    lastActivityAt: activity === null ? null : new Date(activity).toISOString(),
    subagents: state === 'exited' ? 0 : (signs?.subagents ?? null),
    screen: screenRows(rows, before),
    restarts: previous?.restarts ?? { count: 0, nextAt: null, gaveUp: null },
  }
}

type Signals = Pick<AgentSample, 'alive' | 'responsive' | 'waiting' | 'limited' | 'signedIn' | 'stuck'>

function signals(seen: Observation, signs: ScreenSigns | null, state: AgentSample['state']): Signals {
  if (state === 'exited') {
    return {
      alive: 'no',
      responsive: 'no',
      waiting: 'no',
      limited: 'unknown',
      signedIn: 'unknown',
      stuck: 'no',
    }
  }
  const beatsAt = seen.heartbeat?.at ?? null
  const isBeating = beatsAt === null ? null : seen.now - beatsAt <= HEARTBEAT_LATE
  const isThere = seen.run === 'there' || seen.screen !== null || isBeating === true
  const isKnown = state !== null
  // An input line or work in progress is what only a program shows that was let in.
  const isLetIn = state === 'working' || (signs?.hasInput === true && signs.signIn === null) ? true : null
  return {
    alive: isThere ? 'yes' : 'unknown',
    responsive: tri(
      state === 'stuck' ? false : isKnown && (signs !== null || isBeating === true) ? true : null,
    ),
    waiting: tri(isKnown ? state === 'waiting' : null),
    limited: tri(state === 'limited' ? true : isLetIn === true ? false : null),
    signedIn: tri(state === 'signed-out' ? false : state === 'limited' ? true : isLetIn),
    stuck: tri(isKnown ? state === 'stuck' : null),
  }
}

/** The program's own percent counts only while the tokens that it is of are not known to be gone. */
function told(usage: UsageFacts, tokens: number | null): number | null {
  if (tokens !== null || usage.tokens === null) return null
  return usage.percent ?? null
}

/** Limits as told, and one that the screen shows as reached. */
function limitsOf(
  usage: UsageFacts,
  signs: ScreenSigns | null,
  before: AgentSample | null,
  now: number,
): UsageLimit[] {
  const known = [...(usage.limits ?? [])]
  if (signs?.limit === null || signs === null || known.some(({ usedPercent }) => usedPercent >= 100))
    return known
  const since = before?.state === 'limited' && before.reason === signs.limit ? Date.parse(before.since) : now
  const ends = resetTime(signs.limit, since)
  return [
    ...known,
    { name: 'reached', usedPercent: 100, resetsAt: ends === null ? null : new Date(ends).toISOString() },
  ]
}

/** One line. What the screen says stays as it is there, since the next look compares it. */
function reasonText(reason: string | null): string | null {
  if (reason === null) return null
  return reason.length > REASON_MAX || /[\r\n\t]/.test(reason) ? short(reason, REASON_MAX) : reason
}

/** The end of the screen; after the run its last one. */
function screenRows(rows: readonly string[] | null, before: AgentSample | null): string[] {
  if (rows === null) return [...(before?.screen ?? [])]
  const end = rows.findLastIndex((row) => row.trim() !== '') + 1
  return rows.slice(Math.max(0, end - SCREEN_ROWS), end)
}
