import { z } from 'zod'

/** The points of an agent's life at which a definition may run something. Source: scitex §5, and four of our own. */
export const HookPoint = z.enum([
  'pre_start',
  'post_start',
  'pre_stop',
  'post_stop',
  'on_compact',
  'on_restart',
  'on_diff',
  'pre_freeze',
  'post_freeze',
  'on_resume',
  'on_health',
])
export type HookPoint = z.infer<typeof HookPoint>

/** One run of one hook, as the journal keeps it; free of secrets, output capped. */
export const HookRecord = z.object({
  at: z.string(),
  point: HookPoint,
  kind: z.enum(['shell', 'url']),
  /** The command line or address, secrets taken out. */
  run: z.string(),
  required: z.boolean(),
  outcome: z.enum(['done', 'failed', 'timeout']),
  /** The command's exit code or the HTTP status; null when neither came. */
  code: z.number().nullable(),
  durationMs: z.number(),
  /** The end of what it said. */
  output: z.string(),
  runId: z.string().nullable(),
  /** True for one that was tried from the window or the command line. */
  isTrial: z.boolean(),
})
export type HookRecord = z.infer<typeof HookRecord>

export const ConfiguredHook = z.object({
  kind: z.enum(['shell', 'url']),
  run: z.string(),
  timeoutSeconds: z.number(),
  required: z.boolean(),
})
export type ConfiguredHook = z.infer<typeof ConfiguredHook>

/** What a definition runs at the points of its agent's life, and what came of it. */
export const AgentHooks = z.object({
  /** Points without hooks may be left out. */
  configured: z.partialRecord(HookPoint, z.array(ConfiguredHook)),
  journal: z.array(HookRecord),
})
export type AgentHooks = z.infer<typeof AgentHooks>

/** Unknown is not no: what nobody could look at is never told as dead. */
export const Tri = z.enum(['yes', 'no', 'unknown'])
export type Tri = z.infer<typeof Tri>

/** How much of a provider's limit is used; percent 0 to 100. */
export const UsageLimit = z.object({
  name: z.string(),
  usedPercent: z.number(),
  resetsAt: z.string().nullable(),
})
export type UsageLimit = z.infer<typeof UsageLimit>

/** What became of restarts by rule. */
export const RestartFacts = z.object({
  /** Within the rolling window. */
  count: z.number(),
  /** When the next one is due. */
  nextAt: z.string().nullable(),
  /** Set once it is given up, with the reason for a person. */
  gaveUp: z.string().nullable(),
})
export type RestartFacts = z.infer<typeof RestartFacts>

/** The last look at a supervised agent: `state/<slug>/agent/sample.json`, written by whoever supervises. */
export const AgentSample = z.object({
  version: z.literal(1),
  slug: z.string(),
  runId: z.string(),
  at: z.string(),
  state: z.enum(['working', 'waiting', 'limited', 'signed-out', 'stuck', 'exited']).nullable(),
  /** Why, in words: the question on the screen, the limit's text, … */
  reason: z.string().nullable(),
  /** Since when the state is this one. */
  since: z.string(),
  alive: Tri,
  responsive: Tri,
  waiting: Tri,
  limited: Tri,
  signedIn: Tri,
  stuck: Tri,
  /** Percent of the model's own window, one decimal. */
  contextPercent: z.number().nullable(),
  contextTokens: z.number().nullable(),
  contextWindow: z.number().nullable(),
  model: z.string().nullable(),
  sessionId: z.string().nullable(),
  costUsd: z.number().nullable(),
  limits: z.array(UsageLimit),
  currentTool: z.string().nullable(),
  currentToolInput: z.string().nullable(),
  lastUserMessage: z.string().nullable(),
  lastActivityAt: z.string().nullable(),
  subagents: z.number().nullable(),
  /** The end of the visible screen, secrets taken out. */
  screen: z.array(z.string()),
  restarts: RestartFacts,
})
export type AgentSample = z.infer<typeof AgentSample>

/** What a row shows of a supervised agent. */
export const AgentHealth = z.object({
  reason: z.string().nullable(),
  since: z.string(),
  seenAt: z.string(),
  contextPercent: z.number().nullable(),
  model: z.string().nullable(),
  restarts: RestartFacts,
})
export type AgentHealth = z.infer<typeof AgentHealth>

/** The provider's conversation that a snapshot's files hold. */
export const SessionMark = z.object({
  provider: z.string(),
  id: z.string(),
  /** When it last went on. */
  lastActivityAt: z.string(),
})
export type SessionMark = z.infer<typeof SessionMark>

/** `icebox status SLUG --json`: the seed's snake_case names. Source: scitex §12.3. */
export const AgentStatus = z.record(z.string(), z.unknown())
export type AgentStatus = z.infer<typeof AgentStatus>

/** Something that happened to a bottle, for the Activity screen; newest first. */
export const ActivityEntry = z.object({
  at: z.string(),
  slug: z.string(),
  op: z.string(),
  outcome: z.enum(['started', 'done', 'failed', 'cancelled', 'recovered', 'notice']),
  message: z.string(),
})
export type ActivityEntry = z.infer<typeof ActivityEntry>
