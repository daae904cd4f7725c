import { z } from 'zod'
import { ActivityEntry, AgentHooks, AgentStatus, HookPoint, HookRecord } from './agents.ts'
import {
  CompressionName,
  FileDiff,
  PreparedArtifact,
  PruneResult,
  ScrubChoice,
  SecretFinding,
  SnapshotDiff,
  SpaceUsage,
} from './artifacts.ts'
import {
  BackendName,
  BottleDetail,
  EngineReport,
  JournalEntry,
  ManifestSummary,
  Slug,
  Snapshot,
  SnapshotId,
  StartPlan,
  StateSnapshot,
  TrashEntry,
} from './entities.ts'

const Text = z.string().max(200_000)
const Short = z.string().max(500)

/** How the conversation of a run relates to earlier ones. */
export const SessionChoice = z.enum(['continue-or-new', 'continue', 'new', 'resume'])

export const StartArgs = z.object({
  agent: Short,
  interactive: z.boolean().default(false),
  prompt: Text.optional(),
  bottles: z.array(Short).max(50).optional(),
  label: Short.optional(),
  color: Short.optional(),
  backend: BackendName.optional(),
  cwd: z.string().max(4096).optional(),
  copyCwd: z.boolean().optional(),
  unenforcedEgress: z.boolean().optional(),
  allowMissingSecrets: z.boolean().optional(),
  session: SessionChoice.optional(),
  resumeId: Short.optional(),
  /** What has the name goes first: stopped, frozen and into the trash. */
  force: z.boolean().optional(),
  noPreflight: z.boolean().optional(),
})

const TaskStarted = z.object({ taskId: z.string(), slug: z.string().nullable() })
const BySlug = z.object({ slug: Slug })
const BySnapshot = z.object({ slug: Slug, snapshot: SnapshotId })
/** A snapshot, or without one the bottle as it is now. */
const Point = z.object({ slug: Slug, snapshot: SnapshotId.nullable() })
const Done = z.object({
  done: z.array(z.string()),
  left: z.array(z.string()),
  unrecoverable: z.array(z.string()),
})

/** What `destroy`, `stop`, `cleanup` and their like report: what was done, what is left, what can't come back. */
export type Done = z.infer<typeof Done>

/**
 * The one table: call name → argument and result schema. Arguments are parsed in main on every call.
 * Long operations answer at once with a task id; their progress and result arrive as task patches.
 */
export const calls = {
  'state:snapshot': { args: z.object({}), result: StateSnapshot },
  'bottle:start': { args: StartArgs, result: TaskStarted },
  'bottle:plan': { args: StartArgs, result: StartPlan },
  'bottle:resume': {
    args: z.object({
      slug: Slug,
      snapshot: SnapshotId.optional(),
      prompt: Text.optional(),
      interactive: z.boolean().optional(),
      rebuildOk: z.boolean().optional(),
      /** Another backend than the snapshot's; default: where the snapshot was made. */
      backend: BackendName.optional(),
      session: SessionChoice.optional(),
      resumeId: Short.optional(),
      /** One that runs is stopped first. */
      force: z.boolean().optional(),
    }),
    result: TaskStarted,
  },
  /** What a resume would do, and on another backend what is different there. */
  'bottle:plan-resume': {
    args: z.object({
      slug: Slug,
      snapshot: SnapshotId.optional(),
      backend: BackendName.optional(),
      interactive: z.boolean().default(true),
      prompt: Text.optional(),
      session: SessionChoice.optional(),
      resumeId: Short.optional(),
    }),
    result: StartPlan,
  },
  'bottle:freeze': {
    args: z.object({
      slug: Slug,
      note: Short.optional(),
      pin: z.boolean().optional(),
      /** False: a bottle that its engine must stop for it is told and left as it is, without a question. */
      mayAsk: z.boolean().default(true),
    }),
    result: TaskStarted,
  },
  'bottle:fork': {
    args: z.object({
      slug: Slug,
      snapshot: SnapshotId.optional(),
      count: z.number().int().min(1).max(50).default(1),
      label: Short.optional(),
      prompt: Text.optional(),
      agent: Short.optional(),
      backend: BackendName.optional(),
    }),
    result: TaskStarted,
  },
  'bottle:stop': { args: BySlug, result: TaskStarted },
  'bottle:restart': { args: BySlug, result: TaskStarted },
  'bottle:destroy': {
    args: z.object({ slug: Slug, freeze: z.boolean().default(false), purge: z.boolean().default(false) }),
    result: TaskStarted,
  },
  'bottle:detail': { args: BySlug, result: BottleDetail },
  'bottle:journal': { args: BySlug, result: z.array(JournalEntry) },
  'snapshot:edit': {
    args: z.object({
      slug: Slug,
      snapshot: SnapshotId,
      note: Short.optional(),
      label: Short.optional(),
      pinned: z.boolean().optional(),
    }),
    result: Snapshot,
  },
  'snapshot:diff': { args: z.object({ from: Point, to: Point }), result: SnapshotDiff },
  'snapshot:diff-file': {
    args: z.object({ from: Point, to: Point, path: z.string().max(4096) }),
    result: FileDiff,
  },
  'snapshot:verify': { args: BySnapshot, result: TaskStarted },
  'snapshot:delete': { args: BySnapshot, result: TaskStarted },
  /** Searches for secrets without exporting, for the dialog that asks what to do with them. */
  'artifact:search-secrets': { args: BySnapshot, result: z.array(SecretFinding) },
  /**
   * Prepares a file for download or drag: when the task is done, `artifact:download` gives it out.
   * Without `scrub`, found secrets fail the task with `secrets-found`.
   */
  'artifact:export': {
    args: BySnapshot.extend({
      compression: CompressionName.default('gzip'),
      thin: z.boolean().default(false),
      scrub: ScrubChoice.optional(),
    }),
    result: TaskStarted,
  },
  /** The address (same origin, one use, short life) from which a prepared export is downloaded. */
  'artifact:download': {
    args: z.object({ taskId: Short }),
    result: z.object({ url: z.string(), fileName: z.string(), bytes: z.number() }),
  },
  /**
   * Makes a snapshot ready to be dragged out: its file lies in the export cache already, or a task `prepare` makes it.
   * Without `scrub`, found secrets fail that task with `secrets-found`, and a copy that keeps them is never given out.
   */
  'artifact:prepare': {
    args: BySnapshot.extend({ scrub: ScrubChoice.optional() }),
    result: PreparedArtifact,
  },
  /** The address (same origin, one use, short life) that a browser is given when a prepared file is dragged out. */
  'artifact:drag-link': {
    args: z.object({ token: Short }),
    result: z.object({ url: z.string(), fileName: z.string(), bytes: z.number() }),
  },
  /** An upload goes to the answered address as one PUT; the task goes on from there. */
  'artifact:import': {
    args: z.object({ fileName: Short, bytes: z.number().int().nonnegative(), label: Short.optional() }),
    result: z.object({ taskId: z.string(), url: z.string() }),
  },
  'artifact:push': {
    args: BySnapshot.extend({ reference: Short, scrub: ScrubChoice.optional() }),
    result: TaskStarted,
  },
  'artifact:pull': { args: z.object({ reference: Short, label: Short.optional() }), result: TaskStarted },
  'space:usage': { args: z.object({}), result: SpaceUsage },
  'space:prune': { args: z.object({ dryRun: z.boolean() }), result: PruneResult },
  'trash:list': { args: z.object({}), result: z.array(TrashEntry) },
  'trash:undo': { args: z.object({ id: Short }), result: z.object({ slug: z.string() }) },
  'agent:list': {
    args: z.object({ cwd: z.string().max(4096).optional() }),
    result: z.object({ agents: z.array(ManifestSummary), bottles: z.array(ManifestSummary) }),
  },
  'agent:sample': { args: z.object({}), result: z.object({ agent: z.string() }) },
  /** What is known of the agent, as `icebox status --json` prints it. */
  'agent:status': { args: BySlug, result: AgentStatus },
  /** Hooks of its definition by point, and what hooks did, newest last. */
  'agent:hooks': { args: BySlug, result: AgentHooks },
  /** Runs the hooks of a point with its last payload; nothing is stopped by them. */
  'agent:try-hook': { args: z.object({ slug: Slug, point: HookPoint }), result: z.array(HookRecord) },
  /** Types a text into the agent, or puts it into its inbox; into one that does not wait only with `now`. */
  'agent:send': {
    args: z.object({ slug: Slug, text: Text.min(1), now: z.boolean().default(false) }),
    result: z.object({}),
  },
  /** What happened last, newest first: of all bottles, or of one. */
  'activity:list': {
    args: z.object({ slug: Slug.optional(), limit: z.number().int().min(1).max(500).default(200) }),
    result: z.array(ActivityEntry),
  },
  'engine:probe': { args: z.object({}), result: z.array(EngineReport) },
  'task:cancel': { args: z.object({ taskId: Short }), result: z.object({ cancelled: z.boolean() }) },
  /** Answers the question of a running task; false when it has none (any more). */
  'task:answer': {
    args: z.object({ taskId: Short, agree: z.boolean() }),
    result: z.object({ answered: z.boolean() }),
  },
  'task:dismiss': { args: z.object({ taskId: Short }), result: z.object({}) },
  'settings:get': { args: z.object({}), result: z.record(z.string(), z.unknown()) },
  'settings:set': {
    args: z.object({ key: Short, value: z.unknown() }),
    result: z.record(z.string(), z.unknown()),
  },
} as const

export type CallName = keyof typeof calls
export type CallArgs<K extends CallName> = z.input<(typeof calls)[K]['args']>
export type ParsedArgs<K extends CallName> = z.output<(typeof calls)[K]['args']>
export type CallResult<K extends CallName> = z.output<(typeof calls)[K]['result']>
