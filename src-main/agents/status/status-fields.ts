import type { AgentSample, AgentStatus, HookPoint, Tri } from '../../../src-preload/contract/agents.ts'
import type { Bottle } from '../../../src-preload/contract/entities.ts'
import type { LaunchedAgent } from '../launched-agent.ts'
import type { Lifecycle } from '../lifecycle.ts'
import { needsSupervision } from '../lifecycle.ts'
import type { AgentEvent } from '../observe/types.ts'
import type { StatusDiff } from './diff-file.ts'
import { eventFacts } from './event-facts.ts'
import { paneFacts } from './pane-state.ts'
import { claudeMdText, mcpJsonText, skillsIn, withoutSecrets } from './workspace-facts.ts'

/** All that a status is made of. */
export interface StatusInput {
  readonly row: Bottle
  /** The definition's file, null when none is recorded. */
  readonly config: string | null
  /** Null when the definition can't be read. */
  readonly agent: Pick<LaunchedAgent, 'model' | 'lifecycle'> | null
  /** The last look at the newest run; null when nobody looked. */
  readonly sample: AgentSample | null
  readonly diff: StatusDiff | null
  readonly events: readonly AgentEvent[]
  readonly claudeMd: string | null
  readonly mcpJson: string | null
  readonly pid: number | null
  readonly workdir: string | null
  readonly machine: { readonly name: string; readonly canonical: string }
  readonly metrics: Readonly<Record<string, unknown>>
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Every field of a status under the seed's names, over the bottle's row. Source: scitex §11.2, §12.3. Pure. */
export function statusFields(input: StatusInput): AgentStatus {
  const { row, sample, agent } = input
  const lifecycle = agent?.lifecycle ?? null
  return {
    ...row,
    name: row.slug,
    config: input.config,
    screen: row.interactive ? (lifecycle?.screenName ?? row.slug) : null,
    started_at: row.startedAt,
    status: RUNS[row.state] ?? 'stopped',
    model: sample?.model ?? (agent === null ? 'unknown' : agent.model),
    runtime: runtimeName(row, lifecycle),
    remote: lifecycle?.later.remote === undefined ? null : withoutSecrets(lifecycle.later.remote),
    hooks_configured: lifecycle ? hookCounts(lifecycle) : {},
    listen: lifecycle?.listen ?? [],
    extensions: lifecycle?.extensions ?? {},
    later: withoutSecrets(lifecycle?.later ?? {}),
    context_management: contextFacts(lifecycle, sample),
    agent_meta: sample ? metaFacts(sample) : null,
    snapshot: snapshotFacts(input),
    ...signalFacts(input),
    ...usageFacts(sample),
    ...workFacts(input),
    multiplexer: row.interactive && row.backend === 'host' ? (lifecycle?.multiplexer ?? 'tmux') : '',
    pid: input.pid,
    machine: input.machine.name,
    hostname_canonical: input.machine.canonical,
    workdir: input.workdir,
    project: row.slug,
    metrics: input.metrics,
    claude_md: claudeMdText(input.claudeMd),
    mcp_json: mcpJsonText(input.mcpJson),
    skills_loaded: skillsIn(input.claudeMd),
    ...eventFacts(input.events),
  }
}

const RUNS: Readonly<Partial<Record<Bottle['state'], string>>> = {
  starting: 'running',
  running: 'running',
  paused: 'running',
  stopping: 'running',
  unknown: 'unknown',
}

function runtimeName(row: Bottle, lifecycle: Lifecycle | null): string {
  if (lifecycle === null) return 'unknown'
  if (lifecycle.runtime === 'terminal') return 'claude-code'
  if (lifecycle.runtime === 'turns') return 'claude-session'
  return row.interactive ? 'interactive' : 'headless'
}

function hookCounts({ hooks }: Lifecycle): Readonly<Record<HookPoint, number>> {
  const counts = Object.entries(hooks).map(([point, entries]) => [point, entries.length] as const)
  return Object.fromEntries(counts) as Record<HookPoint, number>
}

function contextFacts(lifecycle: Lifecycle | null, sample: AgentSample | null) {
  if (lifecycle === null || lifecycle.context.strategy === 'noop') return null
  const { strategy, triggerPercent } = lifecycle.context
  return { percent: sample?.contextPercent ?? null, strategy, trigger_at_percent: triggerPercent }
}

function metaFacts(sample: AgentSample) {
  return {
    alive: sample.alive,
    subagents: sample.subagents,
    context_pct: sample.contextPercent,
    current_tool: sample.currentTool,
    last_activity: sample.lastActivityAt,
    model: sample.model,
  }
}

function snapshotFacts({ sample, diff }: StatusInput) {
  if (sample === null) return null
  return { timestamp: diff?.timestamp ?? sample.at, has_diff: diff !== null, diff_fields: diff?.fields ?? [] }
}

const SIGNALS: Readonly<Record<string, (sample: AgentSample) => Tri>> = {
  alive: (sample) => sample.alive,
  responsive: (sample) => sample.responsive,
  waiting: (sample) => sample.waiting,
  limited: (sample) => sample.limited,
  signed_in: (sample) => sample.signedIn,
  stuck: (sample) => sample.stuck,
}

/** What is known of the agent, and when that was seen: nobody has to take an old look for a new one. */
function signalFacts({ row, sample, agent, now }: StatusInput) {
  const isSeen = sample !== null && (row.state === 'running' || sample.state === 'exited')
  const signals = Object.entries(SIGNALS).map(([name, read]) => [name, isSeen ? read(sample) : 'unknown'])
  return {
    ...Object.fromEntries(signals),
    ...(row.state === 'running' || row.state === 'unknown' ? {} : { alive: 'no' }),
    agent_state: row.agentState,
    reason: row.state === 'running' ? (sample?.reason ?? null) : row.stateReason,
    since: sample?.since ?? null,
    supervised: agent !== null && needsSupervision(agent.lifecycle),
    sampled_at: sample?.at ?? null,
    sample_age_s: sample ? Math.max(0, Math.round((now - Date.parse(sample.at)) / 1000)) : null,
    restarts: sample
      ? {
          count: sample.restarts.count,
          next_at: sample.restarts.nextAt,
          gave_up: sample.restarts.gaveUp,
        }
      : { count: 0, next_at: null, gave_up: null },
  }
}

function usageFacts(sample: AgentSample | null) {
  const limits = sample?.limits ?? []
  const quota = (name: string) => {
    const limit = limits.find((each) => each.name === name)
    return {
      [`quota_${name}_used_pct`]: limit?.usedPercent ?? null,
      [`quota_${name}_reset_at`]: limit?.resetsAt ?? null,
    }
  }
  return {
    context_percent: sample?.contextPercent ?? null,
    context_pct: sample?.contextPercent ?? null,
    context_tokens: sample?.contextTokens ?? null,
    context_window: sample?.contextWindow ?? null,
    cost_usd: sample?.costUsd ?? null,
    session_id: sample?.sessionId ?? null,
    limits: limits.map(({ name, usedPercent, resetsAt }) => ({
      name,
      used_percent: usedPercent,
      resets_at: resetsAt,
    })),
    ...quota('5h'),
    ...quota('7d'),
    quota_from_cache: limits.length > 0 ? true : null,
    quota_error: null,
  }
}

function workFacts({ sample }: StatusInput) {
  const {
    currentTool: tool = null,
    currentToolInput: input = null,
    lastUserMessage: said = null,
  } = sample ?? {}
  const task = tool === null ? said : input === null ? tool : `${tool}: ${input}`
  const screen = sample?.screen ?? []
  return {
    subagent_count: sample?.subagents ?? null,
    subagents: sample?.subagents ?? null,
    current_tool: tool,
    current_tool_input: input,
    current_task: task,
    last_user_msg: said,
    last_activity: sample?.lastActivityAt ?? null,
    pane_text: sample ? screen.join('\n').slice(-10_000) : null,
    ...paneFacts(screen),
  }
}
