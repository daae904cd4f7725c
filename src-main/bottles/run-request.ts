import type { SessionWish } from '../agents/sessions/plan-session.ts'
import type { KnownSession } from './known-session.ts'

/** What a start, a resume and a fork have in common before anything happens. */
export interface RunRequest {
  /** Null for an adopted bottle, which has no definition and runs its image's own command. */
  readonly agent: string | null
  /** The call itself names the agent, so that it may be the path of a file; else the name is a record's. */
  readonly isAgentGiven?: boolean
  /** Where an existing bottle's definition came from, as recorded: `home: /…/agents/x.yaml`. */
  readonly agentSource?: string | undefined
  readonly bottleNames: readonly string[]
  readonly mode: 'headless' | 'interactive'
  readonly prompt: string | null
  /** Given by the call, or recorded for an existing bottle; null lets the definition and the machine decide. */
  readonly backend: string | null
  /** Folder whose project agents count; absolute. */
  readonly cwd: string | null
  readonly copyCwd: boolean
  readonly forgeEnv: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
  readonly secretNames: readonly string[]
  readonly allowMissingSecrets: boolean
  readonly unenforcedEgress: boolean
  readonly resuming: boolean
  /** What the call says of the conversation, and what is known of the one in the files. */
  readonly session: SessionWish
  readonly known: KnownSession
  /** Folder of definitions that came along with an imported bottle; for names that this machine lacks. */
  readonly carriedDir?: string | undefined
  /** A bottle without an agent has no definition that could say so: it was to have no network. */
  readonly noNetwork?: boolean | undefined
}
