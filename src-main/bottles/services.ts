import type {
  ActivityEntry,
  AgentHooks,
  AgentStatus,
  BackendName,
  Bottle,
  BottleDetail,
  Difference,
  Done,
  EngineReport,
  HookPoint,
  HookRecord,
  JournalEntry,
  Snapshot,
  StartPlan,
  TrashEntry,
} from '../../src-preload/contract/index.ts'
import type { SessionMode } from '../agents/lifecycle.ts'
import type { ReportProgress, TerminalChannel } from '../backends/backend.ts'

/** What every long operation takes: a way to tell, to ask and to stop. */
export interface OperationContext {
  readonly signal: AbortSignal
  readonly progress: ReportProgress
  /** A sentence for the user that does not stop the operation. */
  readonly notice: (text: string) => void
  /** Answers a question; a face without a person answers by its `--yes` or refuses. */
  readonly confirm: (question: string) => Promise<boolean>
  /** Answers whether a running bottle may be stopped for its freeze, where the engine must; default `confirm`. */
  readonly confirmStop?: (question: string) => Promise<boolean>
  /** Takes what is to be done once the bottle's lock is free; without it that is done at once. */
  readonly later?: (run: () => Promise<void>) => void
}

export interface StartRequest {
  readonly agent: string
  readonly mode: 'headless' | 'interactive'
  readonly prompt?: string | undefined
  /** Empty means not given. */
  readonly bottles?: readonly string[] | undefined
  readonly label?: string | undefined
  readonly color?: string | undefined
  readonly backend?: BackendName | undefined
  /** Folder from which project agents are read and which `copyCwd` copies; absolute. */
  readonly cwd: string
  readonly copyCwd?: boolean | undefined
  readonly forgeEnv?: Readonly<Record<string, string>> | undefined
  /** Values given by the call; before environment and keychain. */
  readonly secrets?: Readonly<Record<string, string>> | undefined
  /** Further secret names that this start needs, values from environment or keychain. */
  readonly secretNames?: readonly string[] | undefined
  readonly allowMissingSecrets?: boolean | undefined
  readonly unenforcedEgress?: boolean | undefined
  /** How the conversation relates to earlier ones; default: what the definition says. */
  readonly session?: SessionMode | undefined
  /** The conversation to go on with, for `resume`. */
  readonly resumeId?: string | undefined
  /** What stands in the way goes first: it is stopped, its unsaved work frozen, and it waits in the trash. */
  readonly force?: boolean | undefined
  /** Launches without asking the engine first whether it can; the launch itself then tells. */
  readonly noPreflight?: boolean | undefined
  /** A detached run is waited for all the same. */
  readonly foreground?: boolean | undefined
  /** Called before anything happens when a person has to sit at the run's terminal; throws when nobody does. */
  readonly requireSeat?: (() => void) | undefined
  /** Called once the slug is taken and the agent runs; before that nothing can be frozen. */
  readonly onLaunched?: ((launched: Launched) => void) | undefined
}

export interface ResumeRequest extends Omit<StartRequest, 'agent' | 'bottles' | 'label' | 'color' | 'cwd'> {
  readonly slug: string
  /** Another snapshot than the current one. */
  readonly snapshot?: string | undefined
  readonly cwd?: string | undefined
  readonly rebuildOk?: boolean | undefined
  /** Asked once with what is different on another backend; without it all of it is told as notices. */
  readonly agree?: ((differences: readonly Difference[]) => Promise<boolean>) | undefined
}

export interface ForkRequest {
  readonly slug: string
  readonly snapshot?: string | undefined
  readonly count: number
  readonly mode: 'headless' | 'interactive'
  readonly prompt?: string | undefined
  readonly agent?: string | undefined
  /** Another backend than the snapshot's. */
  readonly backend?: BackendName | undefined
  /** Asked once with what is different there; without it nobody is asked, and all of it is told as notices. */
  readonly agree?: ((differences: readonly Difference[]) => Promise<boolean>) | undefined
  readonly label?: string | undefined
  readonly cwd: string
  readonly secrets?: Readonly<Record<string, string>> | undefined
  readonly allowMissingSecrets?: boolean | undefined
  readonly onLaunched?: ((launched: Launched) => void) | undefined
}

/** A run that is on its way: the slug is minted and the agent runs. */
export interface Launched {
  readonly slug: string
  readonly runId: string
  readonly snapshot: string | null
  /** Waited for, with a person at its terminal, or kept running by itself. */
  readonly way?: 'headless' | 'interactive' | 'detached' | undefined
}

export interface FinishedRun extends Launched {
  /** Null while an interactive or detached run goes on. */
  readonly exitCode: number | null
  /** True when the agent is kept running and nobody waits for it. */
  readonly isDetached: boolean
}

export interface RestartOptions {
  /** How the conversation goes on; default: as the run was started. */
  readonly session?: SessionMode | undefined
  readonly onLaunched?: ((launched: Launched) => void) | undefined
  /** Called under the bottle's lock before anything happens; what it throws stops the restart. */
  readonly check?: (() => Promise<void>) | undefined
}

export interface FreezeRequest {
  readonly slug: string
  readonly backend?: BackendName | undefined
  readonly note?: string | undefined
  readonly label?: string | undefined
  readonly pin?: boolean | undefined
  /** `rule`: nobody asked for this one, so a snapshot that needs no successor stays as people left it. Default: `user`. */
  readonly reason?: 'user' | 'rule' | undefined
}

export interface DestroyRequest {
  readonly slug: string
  readonly backend?: BackendName | undefined
  /** Freeze first, so that the trash holds the newest work. */
  readonly freeze?: boolean | undefined
  /** No trash: state, snapshots and volumes go at once. */
  readonly purge?: boolean | undefined
  /** Remove records even when the engine can't be reached. */
  readonly force?: boolean | undefined
}

/**
 * The life of a bottle, as every face uses it. All methods throw BottleError and nothing else.
 * `start`, `resume` and `fork` resolve when a headless agent has ended, or once an interactive one runs;
 * a headless agent's failing exit is NOT an error here: it is `exitCode`, and the faces decide.
 */
export interface Bottles {
  /** Reconciles what dead processes left behind; runs by itself before the first operation of a process. */
  recover(context: OperationContext): Promise<readonly string[]>
  list(signal: AbortSignal): Promise<readonly Bottle[]>
  /** The rows of some bottles, null for one that is gone; costs the same however many others there are. */
  rows(slugs: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Bottle | null>>
  detail(slug: string, signal: AbortSignal): Promise<BottleDetail>
  /** Everything about a bottle's agent as it was last seen, under the names that `icebox status --json` prints. */
  status(slug: string, signal: AbortSignal): Promise<AgentStatus>
  journal(slug: string): Promise<readonly JournalEntry[]>
  /** What happened last to all bottles, or to one, newest first. */
  activity(options: {
    readonly slug?: string | undefined
    readonly limit: number
  }): Promise<readonly ActivityEntry[]>
  plan(request: StartRequest, signal: AbortSignal): Promise<StartPlan>
  planResume(request: ResumeRequest, signal: AbortSignal): Promise<StartPlan>
  start(request: StartRequest, context: OperationContext): Promise<FinishedRun>
  resume(request: ResumeRequest, context: OperationContext): Promise<FinishedRun>
  fork(request: ForkRequest, context: OperationContext): Promise<readonly FinishedRun[]>
  freeze(
    request: FreezeRequest,
    context: OperationContext,
  ): Promise<{ readonly snapshot: Snapshot; readonly resumeHint: string; readonly exportHint: string | null }>
  /** With `force`, a required `pre_stop` hook that fails is told and keeps nothing from happening. */
  stop(
    slug: string,
    options: { readonly graceSeconds?: number; readonly force?: boolean },
    context: OperationContext,
  ): Promise<Done>
  /** As `start`: a headless agent's end is waited for. What the start was asked for still counts. */
  restart(slug: string, context: OperationContext, options?: RestartOptions): Promise<FinishedRun>
  destroy(request: DestroyRequest, context: OperationContext): Promise<Done>
  cleanup(context: OperationContext): Promise<Done>
  /** Makes an existing foreign container a bottle; it is known by id and never renamed. */
  adopt(
    nameOrId: string,
    options: { readonly label?: string; readonly backend?: BackendName },
    context: OperationContext,
  ): Promise<{ readonly slug: string }>
  /** The hooks that the newest run was launched with, and what came of hooks, oldest first. */
  hooks(slug: string): Promise<AgentHooks>
  /** Runs the hooks of a point with what they were told last; nothing hangs on how they end. */
  tryHook(slug: string, point: HookPoint, signal: AbortSignal): Promise<readonly HookRecord[]>
  /** Types a text into the agent's terminal while it waits (`now`: whatever it does), or puts it into its inbox. */
  send(
    slug: string,
    text: string,
    options: { readonly now?: boolean | undefined },
    signal: AbortSignal,
  ): Promise<void>
  snapshots(slug: string): Promise<readonly Snapshot[]>
  editSnapshot(
    slug: string,
    snapshotId: string,
    edit: { readonly note?: string; readonly label?: string; readonly pinned?: boolean },
  ): Promise<Snapshot>
  trash(): Promise<readonly TrashEntry[]>
  /** Takes a trash id or a slug (its newest entry); a taken slug comes back under a suffix. */
  undo(idOrSlug: string, context: OperationContext): Promise<{ readonly slug: string }>
  emptyTrash(context: OperationContext): Promise<Done>
  /** Output of a run: the engine's while it has it, else `logs/<run>.log`. `run` defaults to the last. */
  logs(
    slug: string,
    options: {
      readonly run?: string
      readonly all?: boolean
      readonly follow?: boolean
      readonly tailBytes?: number
    },
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>
  attach(slug: string, size: { cols: number; rows: number }, signal: AbortSignal): Promise<TerminalChannel>
  /** Waits for the current run's end and records it. */
  waitForExit(slug: string, signal: AbortSignal): Promise<number | null>
  engines(signal: AbortSignal): Promise<readonly EngineReport[]>
  /** Changes of any bottle, whoever made them: this process, another one, an engine. Null: look at everything. */
  watch(signal: AbortSignal): AsyncIterable<string | null>
}
