import { mkdir } from 'node:fs/promises'
import type { AgentSample } from '../../../src-preload/contract/agents.ts'
import { agentDir } from '../../state/agent-sample.ts'
import { readJsonObject, writeDurable } from '../../state/durable-file.ts'
import type { StateRoot } from '../../state/root.ts'
import { diffSamples, meaningOf } from './diff-samples.ts'

/** The last change of an agent that meant something. */
export interface StatusDiff {
  /** ISO 8601. */
  readonly timestamp: string
  readonly fields: readonly string[]
}

function fileOf(root: StateRoot, slug: string): string {
  return root.path('state', slug, 'agent', 'diff.json')
}

/**
 * Keeps what changed between two samples in `diff.json`, and tells its names: empty when nothing meant anything, and
 * then nothing is written.
 */
export async function recordDiff(
  root: StateRoot,
  before: AgentSample,
  after: AgentSample,
): Promise<readonly string[]> {
  const fields = diffSamples(before, after)
  if (fields.length === 0) return fields
  const from = meaningOf(before)
  const to = meaningOf(after)
  const changes = Object.fromEntries(
    fields.map((name) => [name, { before: from[name] ?? null, after: to[name] ?? null }]),
  )
  await mkdir(agentDir(root, after.slug), { recursive: true, mode: 0o700 })
  const content = { version: 1, run_id: after.runId, timestamp: after.at, diff_fields: fields, changes }
  await writeDurable(fileOf(root, after.slug), `${JSON.stringify(content, null, 2)}\n`)
  return fields
}

/** The last meaningful change; null for none and for a damaged file. */
export async function readDiff(root: StateRoot, slug: string): Promise<StatusDiff | null> {
  const read = await readJsonObject(fileOf(root, slug))
  if (read.kind !== 'ok') return null
  const { timestamp, diff_fields: fields } = read.value
  if (typeof timestamp !== 'string' || !Array.isArray(fields)) return null
  return { timestamp, fields: fields.filter((name): name is string => typeof name === 'string') }
}
