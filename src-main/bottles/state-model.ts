import type {
  AgentHealth,
  AgentSample,
  AgentState,
  Badge,
  Bottle,
  Snapshot,
} from '../../src-preload/contract/index.ts'
import type { RuntimeFact } from '../backends/backend.ts'
import type { WrittenIntent } from '../state/intent.ts'
import { latestRun, METADATA_VERSION, type Metadata, type RunRecord } from '../state/metadata.ts'

/** All that is known of one bottle at one moment; the row follows from it. */
export interface BottleFacts {
  readonly slug: string
  readonly rootId: string
  readonly metadata: Metadata | null
  readonly isCorrupt: boolean
  readonly snapshots: readonly Snapshot[]
  readonly current: Snapshot | null
  readonly intent: WrittenIntent | 'corrupt' | null
  /** Null when the engine answered and has no such runtime; undefined when it did not answer. */
  readonly runtime: RuntimeFact | null | undefined
  readonly engineTitle: string
  /** The last look of whoever supervises the agent, of whatever run. */
  readonly sample?: AgentSample | null
}

type Judgement = Pick<Bottle, 'state' | 'stateReason' | 'agentState' | 'exitCode'>

/** The row of a bottle. Pure. */
export function bottleRow(facts: BottleFacts): Bottle {
  const { metadata, current } = facts
  const run = metadata ? latestRun(metadata) : null
  const icebox = metadata?.icebox ?? null
  const judged = judge(facts, run)
  const seen = sampleOfRun(facts, run)
  return {
    slug: facts.slug,
    ...judged,
    ...(seen && judged.state === 'running' && seen.state !== 'exited' ? { agentState: seen.state } : {}),
    backend: metadata?.backend ?? facts.runtime?.backend ?? 'docker',
    engine: facts.engineTitle,
    agent: metadata ? metadata.agentName : '?',
    provider: icebox?.provider ?? '',
    label: metadata?.label ?? '',
    color: metadata?.color ?? '',
    startedAt: run?.startedAt ?? metadata?.startedAt ?? '',
    snapshots: facts.snapshots.length,
    currentSnapshot: current?.id ?? null,
    lastFrozenAt: current?.createdAt ?? null,
    bytes: current?.bytes ?? null,
    runId: run?.id ?? null,
    interactive: run?.interactive ?? false,
    policy: icebox?.policy ?? 'default',
    badges: badgesOf(facts, run),
    parent: icebox?.forkOf ? `${icebox.forkOf.slug}@${icebox.forkOf.snapshot}` : null,
    ...(seen ? { health: healthOf(seen, judged) } : {}),
  }
}

/** The sample, if it is of the newest run and not of an earlier launch of it. */
export function sampleOfRun(
  { sample }: Pick<BottleFacts, 'sample'>,
  run: RunRecord | null,
): AgentSample | null {
  if (!sample || !run || sample.runId !== run.id) return null
  return Date.parse(sample.at) >= Date.parse(run.startedAt) ? sample : null
}

/** What of a sample still holds: of an agent that does not run, only how it was left and what becomes of it. */
function healthOf(sample: AgentSample, { state }: Judgement): AgentHealth {
  const { since, at, contextPercent, model, restarts } = sample
  const reason = state === 'running' ? sample.reason : null
  return { reason, since, seenAt: at, contextPercent, model, restarts }
}

function badgesOf(facts: BottleFacts, run: RunRecord | null): Badge[] {
  const icebox = facts.metadata?.icebox ?? null
  const rules: readonly (readonly [boolean, Badge])[] = [
    [facts.isCorrupt, 'corrupt-metadata'],
    [
      facts.snapshots.some((snapshot) => snapshot.status === 'in-doubt') || facts.intent === 'corrupt',
      'in-doubt',
    ],
    [icebox?.policy === 'unenforced', 'unenforced-egress'],
    [run?.ref?.backend === 'host' && run.ref.facts.isolation === 'none', 'not-isolated'],
    [icebox?.adopted === true, 'adopted'],
    [facts.metadata !== null && icebox === null, 'legacy'],
    [(icebox?.version ?? 0) > METADATA_VERSION, 'newer-version'],
  ]
  return rules.filter(([holds]) => holds).map(([, badge]) => badge)
}

function judge(facts: BottleFacts, run: RunRecord | null): Judgement {
  const { runtime, intent } = facts
  const doing = intent && intent !== 'corrupt' ? intent.op : null
  if (runtime === undefined) return judgement('unknown', `${facts.engineTitle} does not answer`)
  if (doing === 'destroy' || doing === 'stop') return judgement('stopping', null)
  if (runtime?.state === 'running') {
    return judgement('running', doing === 'freeze' ? 'freezing' : null, 'working')
  }
  // A commit pauses the agent for a moment: that is a freeze at work, not a paused bottle.
  if (runtime?.state === 'paused') {
    return doing === 'freeze' ? judgement('running', 'freezing', 'working') : judgement('paused', null)
  }
  // An engine that has to stop it for that starts it again: it is no end of the run.
  if (runtime && doing === 'freeze' && run && !run.exit) return judgement('running', 'freezing', 'working')
  if (
    doing === 'start' ||
    doing === 'resume' ||
    doing === 'fork' ||
    doing === 'restart' ||
    doing === 'import'
  ) {
    return judgement('starting', null)
  }
  return judgeEnded(facts, run)
}

/** Nothing runs: frozen if a snapshot covers the work, failed if the agent failed after it, else stopped. */
function judgeEnded(facts: BottleFacts, run: RunRecord | null): Judgement {
  const { current, runtime } = facts
  const code = run?.exit ? run.exit.code : (runtime?.exitCode ?? null)
  const agentState: AgentState | null = run?.exit || runtime ? 'exited' : null
  const endedAt = run?.exit?.at ?? null
  const isCovered =
    current !== null &&
    (runtime === null || (endedAt !== null && Date.parse(current.createdAt) >= Date.parse(endedAt)))
  const hasFailed = code !== null && code !== 0 && run?.isStopped !== true
  if (hasFailed && !isCovered) {
    return judgement('failed', `agent exited ${code}, kept for you`, agentState, code)
  }
  if (current) return judgement('frozen', null, agentState, code)
  if (run && !run.exit && runtime === null) return judgement('stopped', 'its container is gone', null, null)
  return judgement('stopped', null, agentState, code)
}

function judgement(
  state: Bottle['state'],
  stateReason: string | null,
  agentState: AgentState | null = null,
  exitCode: number | null = null,
): Judgement {
  return { state, stateReason, agentState, exitCode }
}

/**
 * Which of the engine's runtimes is this bottle's: the one whose root, slug and run match the metadata; an
 * adopted one by id; a legacy one by name. Pure. Source: state-and-artifacts.md, "Ownership".
 */
export function matchRuntime(
  slug: string,
  rootId: string,
  metadata: Metadata | null,
  facts: readonly RuntimeFact[],
): RuntimeFact | null {
  const run = metadata ? latestRun(metadata) : null
  const agents = facts.filter((fact) => fact.role === 'agent')
  if (run?.ref) {
    const byId = agents.find((fact) => fact.id === run.ref?.id)
    if (byId && (metadata?.icebox?.adopted || (byId.root === rootId && byId.runId === run.id))) return byId
  }
  const byRun = run
    ? agents.find((fact) => fact.root === rootId && fact.slug === slug && fact.runId === run.id)
    : null
  if (byRun) return byRun
  if (metadata?.icebox) return null
  const byLabel = metadata ? null : agents.find((fact) => fact.root === rootId && fact.slug === slug)
  return byLabel ?? agents.find((fact) => !fact.root && fact.name === `bot-bottle-${slug}`) ?? null
}
