import type { BackendName, EngineReport, Progress, Snapshot } from '../../src-preload/contract/index.ts'
import type { RuntimeRef } from '../state/runtime-ref.ts'
import type { AgentAccess } from './agent-access.ts'
import type { Freezer } from './freezer.ts'
import type { MergedFiles } from './merge-files.ts'
import type { Portable } from './portable.ts'

export type { RuntimeRef } from '../state/runtime-ref.ts'

export type ReportProgress = (progress: Progress) => void

/** Where the agent's file system comes from. */
export type ImageSource =
  | { readonly kind: 'image'; readonly reference: string }
  | {
      readonly kind: 'build'
      /** Absolute path on this machine. */
      readonly context: string
      /** Relative to the context. */
      readonly dockerfile: string
      readonly target: string | null
      /** Icebox writes it right before the launch, so it need not be there yet. */
      readonly isShipped?: boolean
    }
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  /** The host backend without a snapshot: an empty workspace and home. */
  | { readonly kind: 'none' }

export interface MountPlan {
  readonly type: 'bind' | 'volume' | 'tmpfs'
  /** Absolute host path for a bind, the manifest's name for a volume, empty for tmpfs. */
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
  /** A volume that exists beyond this bottle and is used under its own name. */
  readonly external: boolean
}

export interface SidecarPlan {
  readonly name: string
  readonly image: string
  readonly command: readonly string[] | null
  readonly env: Readonly<Record<string, string>>
  /** Values. Never written to a state file, a label, a container's config or a log. */
  readonly secrets: Readonly<Record<string, string>>
}

/** All that a backend needs to launch one run; made by pure planning, no effect has happened yet. */
export interface LaunchPlan {
  readonly slug: string
  /** Unique per run, `[0-9a-z]{10}`. */
  readonly runId: string
  /** UUID of the state root, the owner of everything that is made. */
  readonly rootId: string
  /** Absolute path of `state/<slug>`. */
  readonly stateDir: string
  /** The previous run's runtime, which still owns the name and is replaced by this one; null at first start. */
  readonly previous: RuntimeRef | null
  readonly image: ImageSource
  /** The agent's program and arguments, prompt filled in; null runs the image's own command. */
  readonly argv: readonly string[] | null
  /** Appears in argv too where the provider takes it there; null when there is none. */
  readonly prompt: string | null
  readonly env: Readonly<Record<string, string>>
  /** Values. Never written to a state file, a label, a container's config or a log. */
  readonly secrets: Readonly<Record<string, string>>
  /** For the sidecar named `forge` and only there. */
  readonly forgeEnv: Readonly<Record<string, string>>
  readonly user: string | null
  readonly workdir: string | null
  readonly mounts: readonly MountPlan[]
  readonly resources: { readonly cpus: number | null; readonly memoryBytes: number | null }
  readonly sidecars: readonly SidecarPlan[]
  readonly network: 'default' | 'none' | 'unenforced'
  /** Host folder copied into the working folder before the agent starts; null for none. */
  readonly copyCwd: string | null
  readonly tty: boolean
  /** What keeps an interactive run's terminal on this machine; default tmux. */
  readonly multiplexer?: 'tmux' | 'screen'
  /** Files written into the agent's home before start, path relative to HOME → text (skills, system prompt). */
  readonly homeFiles: Readonly<Record<string, string>>
  /** Files of home and working folder that are merged with what a person has there, before start; absent for none. */
  readonly merged?: MergedFiles
}

export interface ExitFact {
  /** 128+n for a signal; null when the engine can't tell any more. */
  readonly exitCode: number | null
  readonly endedAt: string
}

/** One runtime as an engine lists it; everything needed to derive a bottle's state without a second call. */
export interface RuntimeFact {
  readonly backend: BackendName
  readonly id: string
  readonly name: string
  /** Owner labels, null where the object has none (legacy or foreign). */
  readonly root: string | null
  readonly slug: string | null
  readonly runId: string | null
  readonly state: 'created' | 'running' | 'paused' | 'exited'
  /** Known only when exited. */
  readonly exitCode: number | null
  readonly image: string
  readonly createdAt: string
  readonly role: 'agent' | 'sidecar'
}

export interface ListScope {
  /** Engine ids of adopted runtimes. */
  readonly adopted: ReadonlySet<string>
  /** Only these bottles; undefined is all. */
  readonly slugs?: readonly string[]
}

export interface RuntimeChange {
  readonly backend: BackendName
  /** Null when only a full list can tell. */
  readonly slug: string | null
  readonly id: string | null
  readonly kind: 'created' | 'started' | 'exited' | 'removed' | 'paused' | 'unpaused' | 'renamed' | 'engine'
}

export interface LogOptions {
  readonly follow: boolean
  /** Bytes from the end; undefined is everything. */
  readonly tailBytes?: number
}

/** A live terminal: bytes both ways. `data` ends when the agent or the connection ends. */
export interface TerminalChannel {
  readonly data: AsyncIterable<Uint8Array>
  write(data: string | Uint8Array): void
  resize(cols: number, rows: number): Promise<void>
  /** Leaves; the agent goes on. */
  detach(): void
}

export interface StopOptions {
  /** Seconds between the polite and the hard signal. */
  readonly graceSeconds: number
}

/** What removing found: names of things that could not be removed, so that the caller keeps its records. */
export interface RemoveResult {
  readonly removed: readonly string[]
  readonly left: readonly string[]
}

/** The adapter for one kind of engine. Every call takes a signal; reports and lists are values, never throws. */
export interface Backend {
  readonly name: BackendName
  probe(signal: AbortSignal): Promise<EngineReport>
  /** Starts an engine that is down, without a question, where its own program can; ones that run are left. @throws BottleError */
  startEngine?(signal: AbortSignal): Promise<void>
  /**
   * ONE engine call, however many bottles: this root's runtimes, unlabelled ones whose name starts with
   * `bot-bottle-`, and nothing of another root. A scope names adopted ones, which have neither, and may narrow
   * the answer to some bottles, so that one change costs the same however many there are.
   * @throws BottleError `engine-down` or `engine-missing`
   */
  list(signal: AbortSignal, scope?: ListScope): Promise<readonly RuntimeFact[]>
  /** Engine events until the signal aborts; reconnects by itself, telling `engine` after each gap. */
  watch(signal: AbortSignal): AsyncIterable<RuntimeChange>
  /**
   * Refuses, before any side effect, what this engine can't do for the plan; returns notices for the user.
   * @throws BottleError `engine-remote`, `image-missing`, `policy-unenforceable`, `unsupported`, …
   */
  preflight(plan: LaunchPlan, signal: AbortSignal): Promise<readonly string[]>
  /** Creates and starts. On failure it removes what it made, puts the previous runtime's name back, and throws. */
  launch(plan: LaunchPlan, progress: ReportProgress, signal: AbortSignal): Promise<RuntimeRef>
  /** Starts a stopped runtime again as it was (same container, same files). */
  restart(ref: RuntimeRef, plan: LaunchPlan, signal: AbortSignal): Promise<RuntimeRef>
  /** Resolves when the agent has ended, at once if it already has; null when the runtime is gone. */
  wait(ref: RuntimeRef, signal: AbortSignal): Promise<ExitFact | null>
  stop(ref: RuntimeRef, options: StopOptions, signal: AbortSignal): Promise<void>
  /** Called once when a run's exit was recorded: wipes delivered secrets, keeps the files. Idempotent. */
  runEnded(ref: RuntimeRef, signal: AbortSignal): Promise<void>
  /**
   * Removes agent, sidecars and networks of the run and verifies that they are gone. Volumes stay, except the
   * run's own secret volume. Missing things are already done.
   */
  remove(ref: RuntimeRef, signal: AbortSignal): Promise<RemoveResult>
  /**
   * The bottle goes on with another backend: removes its files that lie in the bottle's own folder and so outlive
   * `remove`, if one of the snapshots holds all of them; else they stay and are named in `left`.
   */
  leave?(slug: string, snapshots: readonly Snapshot[], signal: AbortSignal): Promise<RemoveResult>
  /** The agent's output so far, raw bytes, stdout and stderr interleaved as they came. */
  logs(ref: RuntimeRef, options: LogOptions, signal: AbortSignal): AsyncIterable<Uint8Array>
  attach(ref: RuntimeRef, size: { cols: number; rows: number }, signal: AbortSignal): Promise<TerminalChannel>
  /** True when the runtime or its volumes changed since that snapshot, or when that can't be told. */
  hasChangedSince(ref: RuntimeRef, snapshot: Snapshot | null, signal: AbortSignal): Promise<boolean>
  /** Finds the runtime of a bottle by name or id: for recovery, adoption and legacy bottles. */
  find(nameOrId: string, signal: AbortSignal): Promise<RuntimeRef | null>
  /** True while exactly that runtime exists, in whatever state; one look, for callers that have the record. */
  isThere(ref: RuntimeRef, signal: AbortSignal): Promise<boolean>
  /** True when anything on the engine has that name, whoever owns it. */
  isNameTaken(name: string, signal: AbortSignal): Promise<boolean>
  /** True when the engine has a snapshot under that reference, whoever owns it: state roots share an engine. */
  isReferenceTaken(reference: string, signal: AbortSignal): Promise<boolean>
  /** Gives a snapshot that another program made a reference of its own, keeping the old one; null when it is gone. */
  tagSnapshot(
    snapshot: Snapshot,
    signal: AbortSignal,
  ): Promise<{ readonly reference: string; readonly digest: string } | null>
  /** Deletes a snapshot's image or trees, and nothing else. Missing, or another root's by now, is already done. */
  discardSnapshot(snapshot: Snapshot, signal: AbortSignal): Promise<RemoveResult>
  /** Deletes volumes that belong to a purged bottle; foreign and missing ones are left alone. */
  discardVolumes(names: readonly string[], rootId: string, signal: AbortSignal): Promise<RemoveResult>
  /** Undoes what a dead process left half-done on the engine (paused, renamed, half-made), as its intent tells. */
  recover(intent: EngineIntent, signal: AbortSignal): Promise<RecoverResult>
  /** Everything on the engine that carries this root's id, for cleanup and leak checks. */
  inventory(rootId: string, signal: AbortSignal): Promise<Inventory>
  /** The folder of this machine where the engine keeps its images; null when they are elsewhere or it can't tell. */
  dataRoot?(signal: AbortSignal): Promise<string | null>
  readonly freezer: Freezer
  /** What a supervisor needs of a running agent; absent where this engine can't give it. Loaded on first use. */
  access?(): Promise<AgentAccess>
  /** The folder of this machine that the agent works in by a mount; null for one inside the bottle. @throws BottleError */
  mountedWorkspace?(ref: RuntimeRef, signal: AbortSignal): Promise<string | null>
  /** How its snapshots leave and enter; loaded on first use. */
  portable(): Promise<Portable>
}

/** The part of `intent.json` that a backend understands. */
export interface EngineIntent {
  readonly op: 'start' | 'resume' | 'freeze' | 'fork' | 'destroy' | 'stop' | 'restart' | 'adopt'
  readonly slug: string
  readonly rootId: string
  readonly stateDir: string
  /** The run that was being launched, if any. */
  readonly runId: string | null
  readonly previous: RuntimeRef | null
  /** The runtime that was being frozen or removed, if any. */
  readonly runtime: RuntimeRef | null
  readonly snapshotId: string | null
  /** Tag or path under which the snapshot was being captured. */
  readonly target: string | null
  readonly startedAt: string
  /** When the former launch of a run that is restarted ended, by the engine's clock; null or absent when nobody knows. */
  readonly formerEnd?: string | null
}

export interface RecoverResult {
  /**
   * launched: the new run exists and runs or ran; record it. rolled-back: as before the operation.
   * captured: the snapshot's target exists completely. in-doubt: the engine can't tell yet.
   */
  readonly outcome: 'launched' | 'rolled-back' | 'captured' | 'discarded' | 'in-doubt'
  readonly runtime: RuntimeRef | null
  /** With `captured`: what `Freezer.capture` would have returned. */
  readonly captured: Captured | null
}

export interface Inventory {
  readonly containers: readonly {
    readonly id: string
    readonly name: string
    readonly slug: string | null
    readonly runId: string | null
  }[]
  readonly images: readonly {
    readonly reference: string
    readonly slug: string | null
    readonly snapshotId: string | null
    readonly record: string | null
  }[]
  readonly volumes: readonly {
    readonly name: string
    readonly slug: string | null
    readonly runId: string | null
  }[]
  readonly networks: readonly {
    readonly name: string
    readonly slug: string | null
    readonly runId: string | null
  }[]
}

/** What a capture produced; the Freezer base class turns it into a Snapshot record. */
export interface Captured {
  readonly reference: string
  readonly digest: string
  readonly fidelity: Snapshot['fidelity']
  readonly leftOut: readonly string[]
  readonly bytes: number
  readonly ownBytes: number | null
  readonly volumes: Snapshot['volumes']
  readonly facts: Readonly<Record<string, unknown>>
  readonly notices: readonly string[]
}
