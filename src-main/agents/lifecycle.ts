import type { HookPoint } from '../../src-preload/contract/agents.ts'
import type { Json } from './definitions.ts'

/** How the conversation of a run relates to earlier ones. Source: scitex §6. */
export type SessionMode = 'continue-or-new' | 'continue' | 'new' | 'resume'

export const SESSION_MODES: readonly SessionMode[] = ['continue-or-new', 'continue', 'new', 'resume']

/**
 * `terminal`: the provider's own terminal program, typed into and watched. `turns`: a runner that feeds it one
 * headless turn after the other from an inbox. Null: as the call asks, once headless or at a person's terminal.
 */
export type AgentRuntime = 'terminal' | 'turns'

/** One entry of a hook point, as the definition has it. */
export interface HookEntry {
  readonly kind: 'shell' | 'url'
  /** A shell command line that the user wrote, or an http(s) address. */
  readonly run: string
  readonly timeoutSeconds: number
  /** A failing one stops the operation that it stands before. */
  readonly required: boolean
}

/** A text that is typed into the terminal after the start, and how long to wait before it. */
export interface StartupCommand {
  readonly text: string
  readonly delaySeconds: number
}

/** An answer to a question that the program asks while it starts: keys, once, when the pattern is on the screen. */
export interface StartupAnswer {
  readonly name: string
  /** A regular expression, multi-line, over the visible screen. */
  readonly pattern: string
  /** Names of keys or texts, in order. */
  readonly keys: readonly string[]
}

export interface ListenPort {
  readonly port: number | null
  readonly proto: 'tcp' | 'udp' | 'unix'
  readonly path: string | null
  readonly name: string
  readonly owner: string
}

/**
 * What a definition says about an agent's life beyond its command; the same for agent YAML and Markdown. All times in
 * seconds unless the name says otherwise. Source: scitex §2.2.
 */
export interface Lifecycle {
  readonly runtime: AgentRuntime | null
  readonly multiplexer: 'tmux' | 'screen'
  /** Name of the terminal session as other tools may know it. */
  readonly screenName: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly session: {
    /** Null: a start begins anew and a resume goes on, as ever. */
    readonly mode: SessionMode | null
    readonly maxAgeMinutes: number | null
    readonly resumeId: string | null
  }
  /** Further arguments for the provider's program: `claude.flags` and `--channels`. */
  readonly args: readonly string[]
  readonly startup: {
    readonly autoAccept: boolean
    readonly answers: readonly StartupAnswer[]
    readonly readyPatterns: readonly string[]
    /** Looks in a row that must be the same. */
    readonly readyIdleTicks: number
    readonly readyPollSeconds: number
    readonly readyTimeoutSeconds: number
    readonly onTimeout: 'capture_and_proceed' | 'capture_and_fail'
    readonly commands: readonly StartupCommand[]
  }
  readonly workspace: {
    /** Text for the managed section of CLAUDE.md; null for none. */
    readonly claudeMd: string | null
    /** Servers for `.mcp.json`, by name, `${metadata.…}` filled in. */
    readonly mcpServers: Readonly<Record<string, Json>>
    readonly skillsRequired: readonly string[]
    readonly skillsAvailable: readonly string[]
  }
  /** Files of `NAME=value` lines on this machine, absolute; their values are treated as secrets. */
  readonly envFiles: readonly string[]
  /** Candidates for a Python virtual environment inside the bottle; the first that exists is activated. */
  readonly pythonVenv: readonly string[]
  readonly hooks: Readonly<Record<HookPoint, readonly HookEntry[]>>
  readonly health: {
    readonly enabled: boolean
    readonly intervalSeconds: number
    readonly timeoutSeconds: number
    /** Seconds without output while it should work, after which it counts as stuck. */
    readonly stuckSeconds: number
  }
  readonly restart: {
    readonly policy: 'never' | 'on-failure' | 'always'
    readonly maxRetries: number
    /** Only retries within this rolling window count. */
    readonly windowSeconds: number
    readonly initialSeconds: number
    readonly maxSeconds: number
    readonly multiplier: number
    /** Share of the wait that is random, 0 to 1. */
    readonly jitter: number
  }
  readonly context: {
    readonly strategy: 'noop' | 'warn' | 'compact' | 'freeze' | 'restart'
    readonly triggerPercent: number
    readonly warnBeforeChecks: number
    readonly checkIntervalSeconds: number
    /** A freeze comes before a compact or restart. */
    readonly freezeFirst: boolean
  }
  readonly autoFreeze: {
    readonly onExit: boolean
    readonly idleMinutes: number | null
    readonly contextPercent: number | null
    /** Every so many minutes, if anything changed. */
    readonly everyMinutes: number | null
    readonly beforeDestroy: boolean
  }
  readonly autonomous: {
    readonly enabled: boolean
    readonly driveUntil: string
    readonly maxTurns: number
    readonly idleKickSeconds: number
    readonly kickText: string
  }
  readonly listen: readonly ListenPort[]
  readonly extensions: Readonly<Record<string, Json>>
  /** Parts that a later version acts on (`remote`, `slurm`, `orochi`, `a2a`, …), as written. */
  readonly later: Readonly<Record<string, Json>>
}

const NO_HOOKS: Lifecycle['hooks'] = {
  pre_start: [],
  post_start: [],
  pre_stop: [],
  post_stop: [],
  on_compact: [],
  on_restart: [],
  on_diff: [],
  pre_freeze: [],
  post_freeze: [],
  on_resume: [],
  on_health: [],
}

/** What holds where a definition says nothing. Source: scitex §2.2. */
export const DEFAULT_LIFECYCLE: Lifecycle = {
  runtime: null,
  multiplexer: 'tmux',
  screenName: null,
  labels: {},
  session: { mode: null, maxAgeMinutes: null, resumeId: null },
  args: [],
  startup: {
    autoAccept: true,
    answers: [],
    readyPatterns: [],
    readyIdleTicks: 3,
    readyPollSeconds: 0.5,
    readyTimeoutSeconds: 60,
    onTimeout: 'capture_and_proceed',
    commands: [],
  },
  workspace: { claudeMd: null, mcpServers: {}, skillsRequired: [], skillsAvailable: [] },
  envFiles: [],
  pythonVenv: [],
  hooks: NO_HOOKS,
  health: { enabled: false, intervalSeconds: 30, timeoutSeconds: 5, stuckSeconds: 600 },
  restart: {
    policy: 'never',
    maxRetries: 3,
    windowSeconds: 3600,
    initialSeconds: 30,
    maxSeconds: 300,
    multiplier: 2,
    jitter: 0.2,
  },
  context: {
    strategy: 'noop',
    triggerPercent: 70,
    warnBeforeChecks: 0,
    checkIntervalSeconds: 300,
    freezeFirst: true,
  },
  autoFreeze: {
    onExit: false,
    idleMinutes: null,
    contextPercent: null,
    everyMinutes: null,
    beforeDestroy: false,
  },
  autonomous: { enabled: false, driveUntil: 'DONE', maxTurns: 50, idleKickSeconds: 120, kickText: 'Go on.' },
  listen: [],
  extensions: {},
  later: {},
}

/** True when a process must look after the agent while it runs. Pure. */
export function needsSupervision(lifecycle: Lifecycle): boolean {
  const { health, restart, context, autoFreeze, hooks, runtime, startup } = lifecycle
  return (
    runtime !== null ||
    startup.commands.length > 0 ||
    startup.answers.length > 0 ||
    health.enabled ||
    restart.policy !== 'never' ||
    context.strategy !== 'noop' ||
    autoFreeze.onExit ||
    autoFreeze.idleMinutes !== null ||
    autoFreeze.contextPercent !== null ||
    autoFreeze.everyMinutes !== null ||
    hooks.on_diff.length > 0 ||
    hooks.on_health.length > 0
  )
}
