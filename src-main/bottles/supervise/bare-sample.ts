import type { AgentSample, RestartFacts } from '../../../src-preload/contract/agents.ts'
import type { Lifecycle } from '../../agents/lifecycle.ts'
import { countedTries } from './back-off.ts'
import type { AgentState, LaunchKey } from './supervision.ts'

/** What a row shows of restarts by rule. Pure. */
export function restartFacts(
  state: Pick<AgentState, 'restarts'>,
  policy: Lifecycle['restart'],
  now: number,
): RestartFacts {
  const { tries, nextAt, gaveUp } = state.restarts
  return {
    count: countedTries(policy, tries, now).length,
    nextAt: nextAt === null ? null : new Date(nextAt).toISOString(),
    gaveUp,
  }
}

/** A sample that knows of no look: for engines through which nobody can see an agent. Pure. */
export function bareSample(
  slug: string,
  key: LaunchKey,
  previous: AgentSample | null,
  now: number,
): AgentSample {
  const at = new Date(now).toISOString()
  if (previous?.runId === key.runId) return { ...previous, at }
  return {
    version: 1,
    slug,
    runId: key.runId,
    at,
    state: null,
    reason: null,
    since: at,
    alive: 'unknown',
    responsive: 'unknown',
    waiting: 'unknown',
    limited: 'unknown',
    signedIn: 'unknown',
    stuck: 'unknown',
    contextPercent: null,
    contextTokens: null,
    contextWindow: null,
    model: null,
    sessionId: null,
    costUsd: null,
    limits: [],
    currentTool: null,
    currentToolInput: null,
    lastUserMessage: null,
    lastActivityAt: null,
    subagents: null,
    screen: [],
    restarts: { count: 0, nextAt: null, gaveUp: null },
  }
}
