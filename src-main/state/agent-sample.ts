import { mkdir } from 'node:fs/promises'
import type { AgentSample } from '../../src-preload/contract/agents.ts'
import { notifyChange } from './changes.ts'
import { readJsonObject, writeDurable } from './durable-file.ts'
import type { StateRoot } from './root.ts'

/** The folder of a bottle's agent facts: sample, supervision, hook journal, transcripts. */
export function agentDir(root: StateRoot, slug: string): string {
  return root.path('state', slug, 'agent')
}

/** The last look at the agent; null when there was none or it can't be read, which costs a look and nothing else. */
export async function readSample(root: StateRoot, slug: string): Promise<AgentSample | null> {
  const read = await readJsonObject(root.path('state', slug, 'agent', 'sample.json'))
  if (read.kind !== 'ok') return null
  return isSample(read.value) ? read.value : null
}

// Not by its schema: a list must not pay for the schema library.
function isSample(value: unknown): value is AgentSample {
  const { version, slug, runId, at, since, restarts } = value as Partial<Record<keyof AgentSample, unknown>>
  const texts = [slug, runId, at, since].every((part) => typeof part === 'string')
  return version === 1 && texts && typeof restarts === 'object' && restarts !== null
}

/** Writes the last look and tells the watchers. The caller sees to it that nothing is written when nothing changed. */
export async function writeSample(root: StateRoot, sample: AgentSample): Promise<void> {
  await mkdir(agentDir(root, sample.slug), { recursive: true, mode: 0o700 })
  const file = root.path('state', sample.slug, 'agent', 'sample.json')
  await writeDurable(file, `${JSON.stringify(sample, null, 2)}\n`)
  notifyChange(root, sample.slug)
}
