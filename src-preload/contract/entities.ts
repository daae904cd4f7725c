import { z } from 'zod'
import { AgentHealth, SessionMark } from './agents.ts'
import { Verification } from './artifacts.ts'
import { ERROR_SENTENCES, type ErrorCode } from './errors.ts'

/** A bottle's name; longer legacy names are read, new ones are at most 52. Source: state-and-artifacts.md. */
export const Slug = z
  .string()
  .max(200)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
export const SnapshotId = z.string().regex(/^\d{8}T\d{6}Z-[0-9a-z]{4}$/)
export const BackendName = z.enum(['docker', 'host', 'macos-container', 'smolmachines'])
export type BackendName = z.infer<typeof BackendName>

export const BottleState = z.enum([
  'starting',
  'running',
  'paused',
  'stopping',
  'stopped',
  'frozen',
  'failed',
  'unknown',
])
export type BottleState = z.infer<typeof BottleState>

export const AgentState = z.enum(['working', 'waiting', 'limited', 'signed-out', 'stuck', 'exited'])
export type AgentState = z.infer<typeof AgentState>

/** Facts that a person must see on a row: a red or plain badge with a word. */
export const Badge = z.enum([
  'not-isolated',
  'unenforced-egress',
  'adopted',
  'foreign',
  'legacy',
  'in-doubt',
  'corrupt-metadata',
  'newer-version',
])
export type Badge = z.infer<typeof Badge>

export const Fidelity = z.enum(['files', 'files+volumes', 'files+memory'])
export type Fidelity = z.infer<typeof Fidelity>

export const FreezeReason = z.enum([
  'user',
  'before-resume',
  'before-destroy',
  'before-fork',
  'rule',
  'adopted',
  'imported',
  /** Made of another backend's snapshot, to go on there. */
  'carried',
])
export type FreezeReason = z.infer<typeof FreezeReason>

/** One volume kept beside a snapshot, because an image commit leaves volumes out. */
export const VolumePart = z.object({
  destination: z.string(),
  kind: z.enum(['anonymous', 'named']),
  name: z.string(),
  /** File name inside `snapshots/<id>.d/`: a tar whose one top folder is the mount point. */
  file: z.string(),
  bytes: z.number(),
  sha256: z.string(),
})
export type VolumePart = z.infer<typeof VolumePart>

/** `snapshots/<id>.json`, and what `freeze --json` prints under `snapshot`. */
export const Snapshot = z.object({
  version: z.literal(1),
  id: SnapshotId,
  slug: z.string(),
  parent: z.string().nullable(),
  backend: z.string(),
  /** Image tag, or on the host the absolute path of `<id>.d`. */
  reference: z.string(),
  /** Image id, or on the host the manifest digest of the trees. */
  digest: z.string(),
  createdAt: z.string(),
  fidelity: Fidelity,
  leftOut: z.array(z.string()),
  /** Bytes of the snapshot as its engine counts them; `ownBytes` those above its parent or base. */
  bytes: z.number(),
  ownBytes: z.number().nullable(),
  reason: FreezeReason,
  note: z.string(),
  label: z.string(),
  pinned: z.boolean(),
  status: z.enum(['ready', 'in-doubt']),
  runId: z.string().nullable(),
  agent: z.string(),
  provider: z.string(),
  volumes: z.array(VolumePart),
  /** The last proof of restore, null when there was none. */
  verified: Verification.nullable(),
  /** The agent's conversation in it; absent where none is known. */
  session: SessionMark.nullable().optional(),
  /** What a backend needs to know again at resume; opaque to everybody else. */
  facts: z.record(z.string(), z.unknown()),
})
export type Snapshot = z.infer<typeof Snapshot>

/** One row of `icebox list --json` and of the window. */
export const Bottle = z.object({
  slug: z.string(),
  state: BottleState,
  /** Why the state is what it is, in words, when the state alone would puzzle. */
  stateReason: z.string().nullable(),
  agentState: AgentState.nullable(),
  exitCode: z.number().nullable(),
  backend: z.string(),
  engine: z.string(),
  agent: z.string(),
  provider: z.string(),
  label: z.string(),
  color: z.string(),
  startedAt: z.string(),
  snapshots: z.number(),
  currentSnapshot: z.string().nullable(),
  lastFrozenAt: z.string().nullable(),
  /** Bytes of the current snapshot, null when there is none. */
  bytes: z.number().nullable(),
  runId: z.string().nullable(),
  interactive: z.boolean(),
  policy: z.enum(['default', 'no-network', 'unenforced']),
  badges: z.array(Badge),
  parent: z.string().nullable(),
  /** Only of an agent that is looked after. */
  health: AgentHealth.optional(),
})
export type Bottle = z.infer<typeof Bottle>

export const RunInfo = z.object({
  id: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  exitCode: z.number().nullable(),
  interactive: z.boolean(),
  fromSnapshot: z.string().nullable(),
})
export type RunInfo = z.infer<typeof RunInfo>

export const JournalEntry = z.object({
  at: z.string(),
  op: z.string(),
  outcome: z.enum(['started', 'done', 'failed', 'cancelled', 'recovered', 'notice']),
  message: z.string(),
  code: z.string().optional(),
})
export type JournalEntry = z.infer<typeof JournalEntry>

/** `icebox info SLUG --json` and the detail pane. */
export const BottleDetail = Bottle.extend({
  cwd: z.string(),
  copyCwd: z.boolean(),
  bottleNames: z.array(z.string()),
  agentSource: z.string().nullable(),
  runs: z.array(RunInfo),
  tree: z.array(Snapshot),
  journal: z.array(JournalEntry),
  secretNames: z.array(z.string()),
  forgeEnvNames: z.array(z.string()),
  notices: z.array(z.string()),
  stateDir: z.string(),
  runtime: z.object({ id: z.string(), name: z.string() }).nullable(),
})
export type BottleDetail = z.infer<typeof BottleDetail>

export const EngineReport = z.object({
  name: z.string(),
  /** What a person calls it: "Docker 20.10.24", "This machine". */
  title: z.string(),
  state: z.enum(['ready', 'missing', 'down', 'unknown']),
  version: z.string().nullable(),
  endpoint: z.string().nullable(),
  remote: z.boolean(),
  capabilities: z.record(z.string(), z.boolean()),
  /** What this version of it can't do that others can: sentences for a person. */
  limits: z.array(z.string()),
  reason: z.string().nullable(),
  /** The command that mends it. */
  fix: z.string().nullable(),
})
export type EngineReport = z.infer<typeof EngineReport>

export const TrashEntry = z.object({
  id: z.string(),
  slug: z.string(),
  /** Set for a single deleted snapshot, whose bottle may live on; not set for a whole bottle. */
  snapshot: z.string().optional(),
  destroyedAt: z.string(),
  purgeAfter: z.string(),
  snapshots: z.number(),
  bytes: z.number(),
})
export type TrashEntry = z.infer<typeof TrashEntry>

export const Progress = z.object({
  phase: z.string(),
  current: z.number().nullable(),
  total: z.number().nullable(),
})
export type Progress = z.infer<typeof Progress>

const ErrorCodeSchema = z.enum(Object.keys(ERROR_SENTENCES) as [ErrorCode, ...ErrorCode[]])
export const FailureSchema = z.object({
  code: ErrorCodeSchema,
  message: z.string(),
  detail: z.string().optional(),
  retryable: z.boolean(),
  slug: z.string().optional(),
  exitCode: z.number().optional(),
})

export const Task = z.object({
  id: z.string(),
  kind: z.enum([
    'start',
    'resume',
    'freeze',
    'fork',
    'stop',
    'restart',
    'destroy',
    'undo',
    'adopt',
    'cleanup',
    'export',
    /** Makes a file to drag out, mostly before anybody asked for it. */
    'prepare',
    'import',
    'push',
    'pull',
    'verify',
    'delete-snapshot',
    'prune',
  ]),
  slug: z.string().nullable(),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  progress: Progress.nullable(),
  /** What a person has to agree to before it goes on, with the reason; `task:answer` answers it. */
  question: z.string().nullable(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  error: FailureSchema.nullable(),
  /** One sentence of what came of it, for the toast and the live region. */
  message: z.string().nullable(),
})
export type Task = z.infer<typeof Task>

/** An agent or bottle definition as pickers show it. */
export const ManifestSummary = z.object({
  name: z.string(),
  kind: z.enum(['agent', 'bottle']),
  source: z.enum(['home', 'project', 'sample']),
  file: z.string(),
  description: z.string(),
  provider: z.string(),
  bottle: z.string().nullable(),
  backend: z.string().nullable(),
  problem: z.string().nullable(),
  /** All that is wrong with it, where that is more than `problem` tells. */
  problems: z.array(z.string()).optional(),
  /** What the definition of an agent says about its life; absent where it can't be read. */
  life: z
    .object({
      runtime: z.enum(['terminal', 'turns']).nullable(),
      hooks: z.number(),
      /** A process looks after the agent while it runs. */
      supervised: z.boolean(),
    })
    .optional(),
})
export type ManifestSummary = z.infer<typeof ManifestSummary>

/** What is not the same on another backend; told before a bottle goes on there. */
export const Difference = z.object({
  about: z.enum([
    'engine',
    'architecture',
    'isolation',
    'programs',
    'files',
    'image',
    'mounts',
    'network',
    'user',
    'no-shell',
    'volumes',
    'memory',
    'sidecars',
    'resources',
    'forge',
  ]),
  /** One sentence for a person. */
  text: z.string(),
  /** True where the bottle can't go on there because of it. */
  blocks: z.boolean(),
})
export type Difference = z.infer<typeof Difference>

/** What a dry run prints: everything that a start would do, and nothing of it done. */
export const StartPlan = z.object({
  slug: z.string(),
  agent: z.string(),
  agentSource: z.string(),
  provider: z.string(),
  backend: z.string(),
  bottles: z.array(z.string()),
  image: z.object({ source: z.enum(['image', 'build', 'snapshot', 'none']), reference: z.string() }),
  argv: z.array(z.string()),
  workdir: z.string(),
  envNames: z.array(z.string()),
  secretNames: z.array(z.string()),
  mounts: z.array(z.string()),
  sidecars: z.array(z.string()),
  network: z.enum(['default', 'none', 'unenforced']),
  notices: z.array(z.string()),
  /** Set when the snapshot is another backend's: what will be different here, blocking ones first. */
  differences: z.array(Difference).optional(),
})
export type StartPlan = z.infer<typeof StartPlan>

/** The one snapshot of state that a face gets at first; patches follow by number. */
export const StateSnapshot = z.object({
  revision: z.number(),
  bottles: z.array(Bottle),
  tasks: z.array(Task),
  engines: z.array(EngineReport),
  trash: z.array(TrashEntry),
  disk: z.object({ freeBytes: z.number(), snapshotBytes: z.number() }).nullable(),
  home: z.string(),
  platform: z.string(),
  version: z.string(),
})
export type StateSnapshot = z.infer<typeof StateSnapshot>

/** One change. `key` is the slug, task id, engine name or trash id; null removes. */
export const StatePatch = z.object({
  revision: z.number(),
  changes: z.array(
    z.discriminatedUnion('entity', [
      z.object({ entity: z.literal('bottle'), key: z.string(), value: Bottle.nullable() }),
      z.object({ entity: z.literal('task'), key: z.string(), value: Task.nullable() }),
      z.object({ entity: z.literal('engine'), key: z.string(), value: EngineReport.nullable() }),
      z.object({ entity: z.literal('trash'), key: z.string(), value: TrashEntry.nullable() }),
      z.object({
        entity: z.literal('disk'),
        key: z.literal('disk'),
        value: z.object({ freeBytes: z.number(), snapshotBytes: z.number() }).nullable(),
      }),
    ]),
  ),
})
export type StatePatch = z.infer<typeof StatePatch>
