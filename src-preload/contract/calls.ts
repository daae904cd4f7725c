import { z } from 'zod'
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
})

const TaskStarted = z.object({ taskId: z.string(), slug: z.string().nullable() })
const BySlug = z.object({ slug: Slug })
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
    }),
    result: TaskStarted,
  },
  'bottle:freeze': {
    args: z.object({ slug: Slug, note: Short.optional(), pin: z.boolean().optional() }),
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
  'trash:list': { args: z.object({}), result: z.array(TrashEntry) },
  'trash:undo': { args: z.object({ id: Short }), result: z.object({ slug: z.string() }) },
  'agent:list': {
    args: z.object({ cwd: z.string().max(4096).optional() }),
    result: z.object({ agents: z.array(ManifestSummary), bottles: z.array(ManifestSummary) }),
  },
  'agent:sample': { args: z.object({}), result: z.object({ agent: z.string() }) },
  'engine:probe': { args: z.object({}), result: z.array(EngineReport) },
  'task:cancel': { args: z.object({ taskId: Short }), result: z.object({ cancelled: z.boolean() }) },
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
