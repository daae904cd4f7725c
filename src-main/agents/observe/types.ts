import type { AgentSample } from '../../../src-preload/contract/agents.ts'
import type { AgentAccess, ScreenText } from '../../backends/agent-access.ts'
import type { RuntimeRef } from '../../state/runtime-ref.ts'
import type { UsageFacts } from '../context/usage-facts.ts'
import type { ProviderName } from '../definitions.ts'
import type { Lifecycle } from '../lifecycle.ts'

/** A run that is looked at. */
export interface ObservedAgent {
  readonly slug: string
  readonly runId: string
  readonly ref: RuntimeRef
  readonly access: AgentAccess
  readonly provider: ProviderName
  readonly lifecycle: Lifecycle
  /** ISO 8601. */
  readonly startedAt: string
  /** The conversation that it was begun with, where that is known. */
  readonly begunWith?: string | null
  /** The last sample of this run or of an earlier one. */
  readonly previous: AgentSample | null
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** The model as the definition names it. */
  readonly model?: string | null
  /** The bottle's plain variables: a window override and beta headers are read from it. */
  readonly env?: Readonly<Record<string, string>>
  /** Values that no file may show; asked for at each look, so that one that could not be told yet is not missed for ever. */
  readonly secrets?: () => Promise<readonly string[]>
  /** Milliseconds since 1970 of the last output, where somebody follows it; null before any. */
  readonly outputAt?: () => number | null
}

export type LookReason = 'tick' | 'output' | 'exit'

/** Looks at one run; keeps between looks what it has read, and reads again only what may have changed. */
export interface Observer {
  /** One look; `exitCode` goes with `exit`. Never throws for evidence that is missing. */
  look(reason: LookReason, signal: AbortSignal, exitCode?: number | null): Promise<AgentSample>
}

/** Something that the agent's own hooks told, as workspace settings append it to `$HOME/.icebox/events.jsonl`. */
export interface AgentEvent {
  /** Milliseconds since 1970; null when it was not told. */
  readonly at: number | null
  readonly kind:
    | 'prompt'
    | 'tool'
    | 'tool-done'
    | 'stop'
    | 'notification'
    | 'session'
    | 'session-end'
    | 'compact'
    | 'subagent-stop'
  readonly tool: string | null
  /** What the tool was called with, or the words of a prompt or notification; not cut yet. */
  readonly text: string | null
  readonly sessionId: string | null
  readonly inBackground: boolean
}

/** What the runner of the `turns` runtime says of itself. */
export interface Heartbeat {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly state: 'starting' | 'idle' | 'working' | 'stopping'
}

/** All that is known at one moment; a sample follows from it. */
export interface Observation {
  readonly slug: string
  readonly runId: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly run: 'there' | 'ended' | 'unknown'
  readonly exitCode: number | null
  readonly screen: ScreenText | null
  /** Milliseconds since 1970 of the last output, null before any. */
  readonly outputAt: number | null
  /** Oldest first. */
  readonly events: readonly AgentEvent[]
  readonly heartbeat: Heartbeat | null
  readonly usage: UsageFacts
  readonly contextWindow: number | null
  readonly secrets: readonly string[]
}
