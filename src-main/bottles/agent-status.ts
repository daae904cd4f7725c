import { hostname } from 'node:os'
import { join } from 'node:path'
import type { AgentStatus } from '../../src-preload/contract/agents.ts'
import type { Bottle } from '../../src-preload/contract/entities.ts'
import { makeRedactor } from '../agents/hooks/redact.ts'
import { type LaunchedAgent, readLaunched } from '../agents/launched-agent.ts'
import { DEFAULT_LIFECYCLE, type Lifecycle } from '../agents/lifecycle.ts'
import { readEvents } from '../agents/observe/agent-events.ts'
import { EVENTS_FILE } from '../agents/observe/agent-files.ts'
import type { AgentEvent } from '../agents/observe/types.ts'
import { readDiff } from '../agents/status/diff-file.ts'
import { hostMetrics } from '../agents/status/host-metrics.ts'
import { statusFields } from '../agents/status/status-fields.ts'
import type { AgentPath } from '../backends/agent-access.ts'
import { latestRun, type Metadata, type RunRecord } from '../state/metadata.ts'
import { requireSlug } from '../state/slug.ts'
import { bottleError } from '../system/bottle-error.ts'
import type { BottleDeps } from './deps.ts'
import { adoptedIds, joinRow, neededEngines, readEngines, readRecords } from './read-bottles.ts'
import { readSlugs } from './read-slugs.ts'
import { sampleOfRun } from './state-model.ts'

/** Milliseconds that the agent's own files may take; a status is told without them then. */
const FILES_MS = 3_000
const EVENTS_TAIL = 256 * 1024
const TEXT_MAX = 64 * 1024

/**
 * Everything about a bottle's agent, from any process: one list of its engine, the last look of whoever supervises it,
 * and small files. No conversation is read here; how old the look is, is told.
 */
export async function readAgentStatus(
  deps: BottleDeps,
  slug: string,
  signal: AbortSignal,
  now = Date.now(),
): Promise<AgentStatus> {
  requireSlug(slug)
  if (!(await readSlugs(deps)).includes(slug)) {
    throw bottleError('not-found', `There is no bottle ${slug}. \`icebox list\` shows them.`, { slug })
  }
  const records = await readRecords(deps, slug)
  const { metadata } = records
  const run = metadata ? latestRun(metadata) : null
  const scope = { adopted: adoptedIds([records]), slugs: [slug] }
  const [engines, agent, diff, metrics] = await Promise.all([
    readEngines(deps, neededEngines([records]), scope, signal),
    definitionOf(deps, slug, metadata, run),
    readDiff(deps.root, slug),
    hostMetrics(deps.root.dir),
  ])
  const row = joinRow(records, engines)
  const files = await agentFiles(deps, row, run, secretsOf(deps, metadata, agent?.lifecycle ?? null), signal)
  const isHost = row.backend === 'host'
  const pid = Number(run?.ref?.id)
  return statusFields({
    row,
    config: agent?.file || configOf(metadata),
    agent,
    sample: sampleOfRun(records, run),
    diff,
    ...files,
    pid: isHost && row.state === 'running' && Number.isSafeInteger(pid) ? pid : null,
    workdir: workdirOf(deps, row, run),
    machine: await machineOf(deps),
    metrics,
    now,
  })
}

/** The definition as the run was launched, else as it is read now; null when it can't be read. */
async function definitionOf(
  deps: BottleDeps,
  slug: string,
  metadata: Metadata | null,
  run: RunRecord | null,
): Promise<Pick<LaunchedAgent, 'file' | 'model' | 'lifecycle'> | null> {
  const launched = run ? await readLaunched(deps.root, slug, run.id) : null
  if (launched) return launched
  const file = configOf(metadata)
  if (!metadata || metadata.agentName === '' || file === null) return null
  try {
    const { openManifestIndex } = await import('../agents/manifest-index.ts')
    const [{ loadAgent }, { unwrap }] = await Promise.all([
      import('../agents/load-manifest.ts'),
      import('../agents/problems.ts'),
    ])
    const index = await openManifestIndex(deps.root, null)
    const found = index.agents.get(metadata.agentName)
    if (!found) return null
    const { model, lifecycle } = unwrap(await loadAgent(index, found))
    return { file, model, lifecycle }
  } catch {
    // A definition that is gone or damaged costs what only it could tell.
    return null
  }
}

function configOf(metadata: Metadata | null): string | null {
  return /^[a-z]+: (\/.*)$/s.exec(metadata?.icebox?.agentSource ?? '')?.[1] ?? null
}

interface AgentFiles {
  readonly events: readonly AgentEvent[]
  readonly claudeMd: string | null
  readonly mcpJson: string | null
}

async function agentFiles(
  deps: BottleDeps,
  row: Bottle,
  run: RunRecord | null,
  secretsOf: () => Promise<readonly string[]>,
  signal: AbortSignal,
): Promise<AgentFiles> {
  const none: AgentFiles = { events: [], claudeMd: null, mcpJson: null }
  const ref = run?.ref
  if (row.state !== 'running' || !ref) return none
  const limited = AbortSignal.any([signal, AbortSignal.timeout(FILES_MS)])
  try {
    const access = await (await deps.backends.get(ref.backend)).access?.()
    if (!access) return none
    const read = async (base: AgentPath['base'], path: string, most: number): Promise<string | null> => {
      const content = await access.read(ref, { base, path }, most, limited).catch(() => null)
      return content && Buffer.from(content).toString('utf8')
    }
    const [events, own, inFolder, mcpJson] = await Promise.all([
      read('home', EVENTS_FILE, EVENTS_TAIL),
      read('workspace', 'CLAUDE.md', TEXT_MAX),
      read('workspace', '.claude/CLAUDE.md', TEXT_MAX),
      read('workspace', '.mcp.json', TEXT_MAX),
    ])
    signal.throwIfAborted()
    const texts = [events, own ?? inFolder, mcpJson]
    if (texts.every((text) => text === null)) return none
    const redactor = makeRedactor(await secretsOf())
    const shown = texts.map((text) => text && redactor.text(text))
    return { events: readEvents(shown[0] ?? ''), claudeMd: shown[1] ?? null, mcpJson: shown[2] ?? null }
  } catch (thrown) {
    if (signal.aborted) throw thrown
    return none
  }
}

/** The values that the agent was given, as far as they can still be had: it may have written any of them anywhere. */
function secretsOf(
  deps: BottleDeps,
  metadata: Metadata | null,
  lifecycle: Lifecycle | null,
): () => Promise<readonly string[]> {
  return async () => {
    if (metadata === null) return []
    const { knownSecrets } = await import('./hooks/bottle-hooks.ts')
    return knownSecrets(deps, metadata, lifecycle ?? DEFAULT_LIFECYCLE)
  }
}

function workdirOf(deps: BottleDeps, row: Bottle, run: RunRecord | null): string | null {
  const told = run?.ref?.facts.workdir
  const inside = typeof told === 'string' ? told : ''
  if (row.backend === 'host') return join(deps.root.path('state', row.slug), 'live', 'workspace', inside)
  return inside === '' ? null : inside
}

async function machineOf(deps: BottleDeps): Promise<{ readonly name: string; readonly canonical: string }> {
  const name = hostname()
  const canonical = deps.env.SCITEX_AGENT_CONTAINER_HOSTNAME?.trim() || (name.split('.')[0] ?? '')
  return { name: name.split('.')[0] ?? '', canonical }
}
