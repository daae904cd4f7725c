import type { HookPoint, HookRecord } from '../../../src-preload/contract/agents.ts'
import type { StateRoot } from '../../state/root.ts'
import type { Json } from '../definitions.ts'
import type { Lifecycle } from '../lifecycle.ts'

/** What hooks stand on. */
export interface HookDeps {
  readonly root: StateRoot
  /** Icebox's own environment; hooks get a few harmless variables of it. */
  readonly env: NodeJS.ProcessEnv
}

/** The agent whose hooks run, as it was started. */
export interface HookAgent {
  readonly slug: string
  /** Null where there is no run yet. */
  readonly runId: string | null
  readonly lifecycle: Pick<Lifecycle, 'hooks'>
  /** The definition's file, absolute; hooks run in its folder. Empty when there is none. */
  readonly configPath: string
  /** Name of the terminal session; empty for none. */
  readonly screenName: string
  /** Further variables, none of them secret. */
  readonly env: Readonly<Record<string, string>>
  /** Values that no journal may hold. */
  readonly secrets: readonly string[]
  /** Name of the definition. */
  readonly agentName: string
  readonly label: string
}

/** What an event has to say, by name. */
export type HookContext = Readonly<Record<string, Json>>

/** The one way by which hooks run. */
export interface HookRunner {
  /**
   * Runs every entry of a point once, in order, and keeps a record of each.
   * @throws BottleError `hook-failed` when a required entry of a point that stands before something fails; `cancelled`
   *   there; `busy` when a hook of that very point calls for it again
   */
  run(point: HookPoint, context: HookContext, signal: AbortSignal): Promise<readonly HookRecord[]>
}

/** Points at which a failing required entry keeps what would follow from happening. */
export function standsBefore(point: HookPoint): boolean {
  return point === 'pre_start' || point === 'pre_stop' || point === 'pre_freeze'
}
