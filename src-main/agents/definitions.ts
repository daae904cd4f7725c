import type { BackendName } from '../../src-preload/contract/index.ts'
import type { MountPlan } from '../backends/backend.ts'
import type { Lifecycle } from './lifecycle.ts'

/** The agents that Icebox knows how to call; `custom` brings its own command. */
export type ProviderName = 'claude' | 'codex' | 'pi' | 'custom'

export const PROVIDER_NAMES: readonly ProviderName[] = ['claude', 'codex', 'pi', 'custom']

export const BACKEND_NAMES: readonly BackendName[] = ['docker', 'host', 'macos-container', 'smolmachines']

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** Argument lists of a custom agent; null where the manifest has none. */
export interface CommandTemplates {
  readonly headless: readonly string[] | null
  readonly interactive: readonly string[] | null
  readonly resume: readonly string[] | null
}

/** What proves inside a restored snapshot that it is whole: a program with its arguments, and how long it may take. */
export interface HealthCheck {
  readonly command: readonly string[]
  /** Seconds. */
  readonly timeout: number
}

/** Who commits made by the agent belong to. */
export interface GitUser {
  readonly name: string | null
  readonly email: string | null
}

/** An agent file as it was read. `file` is absolute; `name` is the file's name without `.md`, or what agent YAML says. */
export interface AgentDefinition {
  readonly name: string
  /** `path`: the file itself was named, in whatever folder it lies. */
  readonly source: 'home' | 'project' | 'sample' | 'path'
  readonly file: string
  /** The default bottle, used when a launch names none. */
  readonly bottle: string | null
  readonly skills: readonly string[]
  readonly provider: ProviderName
  /** False when the manifest names no provider: the bottle's provider settings may then choose. */
  readonly isProviderGiven: boolean
  readonly command: CommandTemplates | null
  /** The body of the file, trimmed; empty for none. */
  readonly systemPrompt: string
  readonly displayName: string | null
  readonly description: string
  readonly model: string | null
  readonly color: string
  readonly memory: Json
  /** Lies over the bottle's `git-gate.user`. */
  readonly gitGateUser: GitUser | null
  /** Stands for the bottle's. */
  readonly health: HealthCheck | null
  readonly lifecycle: Lifecycle
  /** A flag asks for no permission questions, unless the bottle says something else. */
  readonly skipsPermissions?: boolean
  /** Agent YAML is its own bottle; bottles that a launch names lie over it. */
  readonly ownBottle?: BottleLayer
  /** Variables whose values hold `${NAME}`, unexpanded: filled in at launch and passed as secrets. */
  readonly envTemplates?: Readonly<Record<string, string>>
  /** Absolute folder of this machine that a new bottle begins with a copy of. */
  readonly copyFrom?: string
  /** What a person should know of the definition whenever it is used. */
  readonly notices?: readonly string[]
  /** Why it can't be started here by this version, although the file is right; empty or absent when it can. */
  readonly refusals?: readonly string[]
  /** Lines of the file that errors found later point at. */
  readonly lines: { readonly bottle: number; readonly skills: number; readonly command: number }
}

export interface BuildDefinition {
  /** Absolute path on this machine. */
  readonly context: string
  /** Relative to the context. */
  readonly dockerfile: string
  readonly target: string | null
}

/** A sidecar as one file states it: a later file may add what is missing. */
export interface SidecarLayer {
  readonly image?: string
  readonly command?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
  readonly line: number
}

export interface SidecarDefinition {
  readonly image: string
  readonly command: readonly string[] | null
  readonly env: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
}

/** One allowed way out. What `matches`, `auth`, `role` and `dlp` hold belongs to the enforcing proxy. */
export interface EgressRoute {
  readonly host: string
  readonly matches: Json
  readonly auth: Json
  readonly role: Json
  readonly dlp: Json
}

export interface EgressDefinition {
  readonly routes: readonly EgressRoute[]
}

export interface GitGateDefinition {
  readonly user: GitUser | null
  /** By name; a list in the manifest is keyed by each item's name or text. */
  readonly repos: Readonly<Record<string, Json>>
}

/** How a bottle wants its agent's provider to be called. */
export interface ProviderSettings {
  readonly name: ProviderName | null
  /** Further arguments for the provider's program, passed as they are. */
  readonly args: readonly string[] | null
  /** `skip`: the agent asks no permission questions, the bottle is the boundary. Null: by backend. */
  readonly permissions: 'skip' | 'ask' | null
  /** Keys that other programs read. */
  readonly other: Readonly<Record<string, Json>>
}

/** One bottle file before merging: only what the file says. */
export interface BottleLayer {
  readonly name: string
  readonly file: string
  readonly extends: readonly { readonly name: string; readonly line: number }[]
  /** An image replaces an inherited build and the other way round. */
  readonly origin?: { readonly image: string } | { readonly build: BuildDefinition }
  readonly backend?: BackendName
  readonly user?: string
  readonly workdir?: string
  readonly env: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
  readonly mounts: readonly MountPlan[]
  readonly resources: { readonly cpus?: number; readonly memoryBytes?: number }
  readonly sidecars: Readonly<Record<string, SidecarLayer>>
  readonly egress: EgressDefinition | null
  readonly gitGate: GitGateDefinition | null
  readonly supervise?: Json
  readonly provider: ProviderSettings | null
  readonly health: HealthCheck | null
}

/** The effective bottle: parents and launch list merged. */
export interface BottleDefinition {
  /** Names joined by ` + ` when a launch names several. */
  readonly name: string
  readonly file: string
  readonly extends: readonly string[]
  readonly image: string | null
  readonly build: BuildDefinition | null
  readonly backend: BackendName | null
  readonly user: string | null
  readonly workdir: string | null
  readonly env: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
  readonly mounts: readonly MountPlan[]
  readonly resources: { readonly cpus: number | null; readonly memoryBytes: number | null }
  readonly sidecars: Readonly<Record<string, SidecarDefinition>>
  /** Null when no file declares it; an empty one allows nothing. */
  readonly egress: EgressDefinition | null
  readonly gitGate: GitGateDefinition | null
  readonly supervise: Json
  readonly provider: ProviderSettings | null
  readonly health: HealthCheck | null
}

/** An agent with its effective bottle, ready for planning. */
export interface ResolvedAgent {
  readonly agent: AgentDefinition
  readonly bottle: BottleDefinition
  /** The names that were merged, in order, without their parents. */
  readonly bottleNames: readonly string[]
  readonly notices: readonly string[]
  /** `<skill>/<path>` → text, read from the state root's `skills` folder. */
  readonly skillFiles: Readonly<Record<string, string>>
  /** The state root's folder; provider images are built below it. */
  readonly rootDir: string
}
