import type { AgentSample } from '../../../src-preload/contract/agents.ts'
import type { RunEnd } from './back-off.ts'

/** Names one launch of one run: a restart keeps the run's id, but not when it began. */
export interface LaunchKey {
  readonly runId: string
  /** ISO 8601. */
  readonly startedAt: string
}

/** Why a rule freezes. */
export type FreezeRule = 'exit' | 'idle' | 'context' | 'interval' | 'before-context'

/** What of supervision survives the process that does it: `state/<slug>/agent/supervision.json`. */
export interface Supervision extends LaunchKey {
  readonly restarts: {
    /** When tries began, milliseconds since 1970. */
    readonly tries: readonly number[]
    readonly nextAt: number | null
    /** A restart has been begun and its end is not known yet; and what for. */
    readonly begun: 'crash' | 'context' | null
    readonly gaveUp: string | null
    /** When a restart for the context was about to stop the agent itself; null while none is. */
    readonly cutAt: number | null
    /** When restarts for the context stopped it. */
    readonly contextTries: readonly number[]
  }
  readonly startup: {
    readonly state: 'pending' | 'done' | 'failed'
    /** What already went out; only the startup itself reads it. */
    readonly progress: unknown
  }
  /** The latch of the context rules; only they read it. */
  readonly context: unknown
  readonly freezes: {
    /** `gave-up`: it can't be made, or failed too often; told once. */
    readonly exit: 'none' | 'due' | 'done' | 'gave-up'
    /** When a freeze at the end that failed is tried again, milliseconds since 1970, and how often it was. */
    readonly retryAt: number | null
    readonly retries: number
    /** The last activity that an idle freeze holds; null when the agent went on since. */
    readonly idle: { readonly activityAt: string | null } | null
    readonly isContextDone: boolean
    /** A freeze of a running agent that failed: when it is tried again, null while it is, and how often it failed. */
    readonly again: {
      readonly rule: FreezeRule
      readonly note: string
      readonly at: number | null
      readonly tries: number
    } | null
    /** When a rule last froze, or began to count, milliseconds since 1970. */
    readonly lastAt: number
    /** This engine has to stop the agent for a freeze, which no rule does; told once. */
    readonly cannot: boolean
  }
  /** The trouble that was told last; null for none. */
  readonly trouble: string | null
  readonly end: RunEnd | null
}

/** What is known of a supervised agent at one moment. */
export interface AgentState extends Supervision {
  readonly isRunning: boolean
  /** Milliseconds since 1970. */
  readonly lastOutputAt: number | null
  /** The first output that no look has seen. */
  readonly unseenSince: number | null
  readonly lastLookAt: number | null
  /** Output since the last freeze by a rule. */
  readonly isDirty: boolean
  readonly sample: AgentSample | null
  readonly lastContextAt: number | null
}

/** A launch of which nothing is known yet. Pure. */
export function freshSupervision(key: LaunchKey, now: number): Supervision {
  return {
    runId: key.runId,
    startedAt: key.startedAt,
    restarts: { tries: [], nextAt: null, begun: null, gaveUp: null, cutAt: null, contextTries: [] },
    startup: { state: 'pending', progress: null },
    context: null,
    freezes: {
      exit: 'none',
      retryAt: null,
      retries: 0,
      idle: null,
      isContextDone: false,
      again: null,
      lastAt: now,
      cannot: false,
    },
    trouble: null,
    end: null,
  }
}

/**
 * What holds for a launch when a supervisor comes to it: what an earlier one kept of the same launch; of a restart by
 * rule the tries, and of one for the context its latch; of anything else nothing. After a
 * damaged one nothing is typed: commands that came twice could do harm. Pure.
 */
export function takeUp(kept: Supervision | 'damaged' | null, key: LaunchKey, now: number): Supervision {
  if (kept === 'damaged') return { ...freshSupervision(key, now), startup: { state: 'done', progress: null } }
  if (kept && isSameLaunch(kept, key)) return kept
  const fresh = freshSupervision(key, now)
  if (!kept?.restarts.begun) return fresh
  const { tries, contextTries, begun } = kept.restarts
  return {
    ...fresh,
    restarts: { ...fresh.restarts, tries, contextTries },
    // One that did not help is tried again only after a longer wait.
    context: begun === 'context' ? kept.context : null,
    freezes: { ...fresh.freezes, lastAt: kept.freezes.lastAt, cannot: kept.freezes.cannot },
    trouble: kept.trouble,
  }
}

export function isSameLaunch(a: LaunchKey, b: LaunchKey): boolean {
  return a.runId === b.runId && a.startedAt === b.startedAt
}

/** The state with which supervision begins. Pure. */
export function openState(
  supervision: Supervision,
  isRunning: boolean,
  sample: AgentSample | null,
): AgentState {
  const isOwn = sample?.runId === supervision.runId && sample.at >= supervision.startedAt
  return {
    ...supervision,
    isRunning,
    lastOutputAt: null,
    unseenSince: null,
    lastLookAt: null,
    isDirty: true,
    sample: isOwn ? sample : null,
    lastContextAt: null,
  }
}

/** The part that is kept. Pure. */
export function keptPart(state: AgentState): Supervision {
  const { runId, startedAt, restarts, startup, context, freezes, trouble, end } = state
  return { runId, startedAt, restarts, startup, context, freezes, trouble, end }
}
