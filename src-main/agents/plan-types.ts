import type { BackendName } from '../../src-preload/contract/index.ts'
import type { ImageSource, MountPlan } from '../backends/backend.ts'
import type { MergedFiles } from '../backends/merge-files.ts'
import type { ProviderName, ResolvedAgent } from './definitions.ts'
import type { AgentRuntime } from './lifecycle.ts'
import type { SessionPlan } from './sessions/plan-session.ts'

export interface PlanInput {
  readonly resolved: ResolvedAgent
  readonly mode: 'headless' | 'interactive'
  readonly prompt: string | null
  readonly backend: BackendName
  /** When resuming, the conversation to go on with (null: the newest); else the id that a new one gets. */
  readonly sessionId?: string | null
  readonly resuming: boolean
  /** When resuming: start a new conversation in the old files. */
  readonly freshSession?: boolean
  /** What was decided about the conversation; without it `sessionId`, `resuming` and `freshSession` tell. */
  readonly session?: SessionPlan
  /** True when the files were made at another place, so that the program would not find its conversation. */
  readonly bringsSession?: boolean
  /** How this run is kept going; null or absent for one that ends by itself or has a person in front of it. */
  readonly runtime?: AgentRuntime | null
  readonly unenforcedEgress: boolean
  /** Names that the call asks for beyond the bottle's. */
  readonly secretNames: readonly string[]
  readonly cwd: string | null
  /** `state/<slug>`, where it is known: lets `{workdir}` be an absolute path on the host. */
  readonly stateDirHint?: string
}

export interface PlannedSidecar {
  readonly name: string
  readonly image: string
  readonly command: readonly string[] | null
  readonly env: Readonly<Record<string, string>>
  readonly secretNames: readonly string[]
}

/** All that a launch needs but the slug and the secrets' values. */
export interface PlannedRun {
  readonly image: ImageSource
  /** Set when `image` builds a Dockerfile that Icebox ships: write it with `writeProviderContext` first. */
  readonly providerImage?: ProviderName
  readonly argv: readonly string[] | null
  readonly prompt: string | null
  readonly env: Readonly<Record<string, string>>
  readonly secretNames: readonly string[]
  readonly sidecars: readonly PlannedSidecar[]
  readonly mounts: readonly MountPlan[]
  readonly resources: { readonly cpus: number | null; readonly memoryBytes: number | null }
  readonly user: string | null
  readonly workdir: string | null
  readonly network: 'default' | 'none' | 'unenforced'
  readonly homeFiles: Readonly<Record<string, string>>
  /** Files that are merged with what a person has there; absent for none. */
  readonly merged?: MergedFiles
  readonly notices: readonly string[]
  readonly multiplexer: 'tmux' | 'screen'
  /** True when a sidecar named `forge` is there to take the forge environment. */
  readonly forgeSidecar: boolean
}
