import type {
  ActivityEntry,
  AgentHealth,
  AgentHooks,
  AgentStatus,
  HookRecord,
} from '../../../src-preload/contract/agents.ts'
import type { Bottle } from '../../../src-preload/contract/entities.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const ago = (milliseconds: number) => new Date(Date.now() - milliseconds).toISOString()
const ahead = (milliseconds: number) => new Date(Date.now() + milliseconds).toISOString()

/** What a row tells of an agent that is looked after. */
export function health(change: Partial<AgentHealth> = {}): AgentHealth {
  return {
    reason: null,
    since: ago(4 * MINUTE),
    seenAt: ago(12_000),
    contextPercent: 34,
    model: 'claude-opus-4-5-20251101',
    restarts: { count: 0, nextAt: null, gaveUp: null },
    ...change,
  }
}

/** Agents in every state, beside one that nobody looks after. */
export const IN_TROUBLE: readonly (Partial<Bottle> & { readonly slug: string })[] = [
  {
    slug: 'asks',
    color: 'purple',
    agentState: 'waiting',
    health: health({ reason: 'Run the migration on staging? (y/n)', contextPercent: 71 }),
  },
  {
    slug: 'at-its-limit',
    agentState: 'limited',
    health: health({ reason: 'You’ve hit your limit, it resets at 15:00', contextPercent: 55 }),
  },
  {
    slug: 'out',
    provider: 'codex',
    agent: 'codex',
    agentState: 'signed-out',
    health: health({
      reason: 'Please sign in again',
      contextPercent: null,
      model: 'gpt-5-codex',
    }),
  },
  {
    slug: 'hangs',
    agentState: 'stuck',
    health: health({
      reason: 'No output for 14 min while it works',
      contextPercent: 92.4,
      model: 'claude-sonnet-4-5[1m]',
    }),
  },
  {
    slug: 'works',
    agentState: 'working',
    health: health({ reason: 'Bash: npm test', contextPercent: 18.2 }),
  },
  { slug: 'plain', provider: 'custom', agent: 'scratch', agentState: 'working' },
  {
    slug: 'gave-up',
    state: 'failed',
    agentState: 'exited',
    exitCode: 1,
    health: health({
      contextPercent: null,
      restarts: { count: 3, nextAt: null, gaveUp: 'it crashed 3 times within an hour' },
    }),
  },
]

const SCREEN = [
  '● Bash(npm run migrate -- --env staging --dry-run)',
  '  ⎿  12 migrations pending, 0 conflicts',
  '',
  ' Run the migration on staging? (y/n)',
  ' ❯ 1. Yes',
  '   2. No, and tell what to do differently',
  '',
  '  ⏵⏵ bypass permissions on (shift+tab to cycle)',
]

const tri = (isYes: boolean) => (isYes ? 'yes' : 'no')

/** As `icebox status --json` prints it. */
export function statusOf(row: Bottle): AgentStatus {
  const base = { name: row.slug, started_at: row.startedAt, status: row.state, runtime: 'terminal' }
  const { health: known, agentState } = row
  if (!known) return { ...base, supervised: false, context_management: null, snapshot: null }
  const isSignedOut = agentState === 'signed-out'
  return {
    ...base,
    supervised: true,
    sampled_at: known.seenAt,
    agent_state: agentState,
    reason: known.reason,
    since: known.since,
    alive: tri(row.state === 'running'),
    responsive: agentState === 'stuck' ? 'unknown' : tri(row.state === 'running'),
    waiting: tri(agentState === 'waiting'),
    limited: isSignedOut ? 'unknown' : tri(agentState === 'limited'),
    signed_in: tri(!isSignedOut),
    stuck: tri(agentState === 'stuck'),
    model: known.model,
    context_percent: known.contextPercent,
    context_tokens: known.contextPercent === null ? null : Math.round(known.contextPercent * 2000),
    context_window: 200_000,
    context_management: { percent: known.contextPercent, strategy: 'compact', trigger_at_percent: 80 },
    restarts: {
      count: known.restarts.count,
      next_at: known.restarts.nextAt,
      gave_up: known.restarts.gaveUp,
    },
    cost_usd: 4.2,
    limits: [
      { name: '5h', used_percent: 82, resets_at: ahead(96 * MINUTE) },
      { name: '7d', used_percent: 31, resets_at: ahead(70 * HOUR) },
    ],
    session_id: '0b6f2f52-6a1e-4f0e-9a3c-5a0d9d3a77c1',
    current_tool: 'Bash',
    current_task: 'Bash: npm run migrate -- --env staging --dry-run',
    last_user_msg: 'Rewrite the session handling, keep the old cookies valid for a week',
    last_activity: ago(2 * MINUTE),
    subagent_count: agentState === 'working' ? 2 : 0,
    pane_text: SCREEN.join('\n'),
  }
}

const record = (change: Partial<HookRecord>): HookRecord => ({
  at: ago(12 * MINUTE),
  point: 'post_freeze',
  kind: 'url',
  run: 'https://hooks.example.test/frozen?team=…',
  required: false,
  outcome: 'done',
  code: 200,
  durationMs: 240,
  output: '{"ok":true}',
  runId: 'r000000001',
  isTrial: false,
  ...change,
})

export const NO_HOOKS: AgentHooks = { configured: {}, journal: [] }

export const HOOKS: AgentHooks = {
  configured: {
    pre_freeze: [
      { kind: 'shell', run: './scripts/before-freeze.sh --strict', timeoutSeconds: 30, required: true },
    ],
    post_freeze: [
      { kind: 'url', run: 'https://hooks.example.test/frozen?team=…', timeoutSeconds: 5, required: false },
      {
        kind: 'shell',
        run: 'notify-send "Frozen" "$ICEBOX_SLUG" && logger -t icebox "frozen $ICEBOX_SLUG"',
        timeoutSeconds: 30,
        required: false,
      },
    ],
  },
  journal: [
    record({
      at: ago(3 * HOUR),
      kind: 'shell',
      run: 'sleep 60',
      outcome: 'timeout',
      code: null,
      durationMs: 30_000,
    }),
    record({
      at: ago(2 * HOUR),
      point: 'pre_freeze',
      kind: 'shell',
      run: './scripts/before-freeze.sh --strict',
      required: true,
      outcome: 'failed',
      code: 3,
      durationMs: 1200,
      output: 'the database is being written to\ntry again later',
    }),
    record({ at: ago(40 * MINUTE), isTrial: true, output: '' }),
    record({}),
  ],
}

/** What trying the hooks of a point gives. */
export function tried(point: string): HookRecord[] {
  return HOOKS.journal
    .filter((entry) => entry.point === point)
    .slice(-1)
    .map((entry) => ({ ...entry, at: ago(0), isTrial: true }))
}

const happened = (
  minutes: number,
  slug: string,
  op: string,
  outcome: ActivityEntry['outcome'],
  message: string,
): ActivityEntry => ({ at: ago(minutes * MINUTE), slug, op, outcome, message })

export const ACTIVITY: readonly ActivityEntry[] = [
  happened(1, 'auth-rewrite', 'health', 'notice', 'Waits for you: Run the migration on staging? (y/n)'),
  happened(12, 'auth-rewrite', 'freeze', 'done', 'Frozen as 20261121T061500Z-a006 (rule): context at 70 %.'),
  happened(
    12,
    'auth-rewrite',
    'hook',
    'done',
    'The post_freeze hook “https://hooks.example.test/frozen?team=…” ran.',
  ),
  happened(31, 'api-pagination', 'restart', 'done', 'Restarted by rule after a crash (code 137), 1 of 3.'),
  happened(31, 'api-pagination', 'exit', 'failed', 'The agent ended with code 137.'),
  happened(64, 'api-pagination', 'start', 'done', 'Started on docker.'),
  happened(
    120,
    'auth-rewrite',
    'hook',
    'failed',
    'The pre_freeze hook “./scripts/before-freeze.sh --strict” ended with 3.',
  ),
  happened(180, 'e2e-upgrade', 'exit', 'failed', 'The agent ended with code 137.'),
  happened(1560, 'billing-spike', 'freeze', 'done', 'Frozen as 20261120T061500Z-a005 (user).'),
  happened(1700, 'gone-by-now', 'stop', 'done', 'Stopped.'),
]
