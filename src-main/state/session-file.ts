import { mkdir } from 'node:fs/promises'
import type { SessionMark } from '../../src-preload/contract/agents.ts'
import { agentDir } from './agent-sample.ts'
import { readJsonObject, writeDurable } from './durable-file.ts'
import type { StateRoot } from './root.ts'

/** What was last seen of a run's conversation: `state/<slug>/agent/session.json`. */
export interface SeenSession {
  readonly runId: string
  /** Null when somebody looked and found none. */
  readonly mark: SessionMark | null
  readonly seenAt: string
}

function file(root: StateRoot, slug: string): string {
  return root.path('state', slug, 'agent', 'session.json')
}

/** A conversation's mark as any version wrote it; null for anything else. Pure. */
export function parseSessionMark(value: unknown): SessionMark | null {
  if (typeof value !== 'object' || value === null) return null
  const { provider, id, lastActivityAt } = value as Partial<Record<keyof SessionMark, unknown>>
  if (typeof provider !== 'string' || typeof id !== 'string' || typeof lastActivityAt !== 'string')
    return null
  // It becomes an argument, so it must never look like an option.
  return /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/.test(id) ? { provider, id, lastActivityAt } : null
}

/** What was last seen of that run's conversation; null when nobody looked, or the file can't be read. */
export async function readSession(root: StateRoot, slug: string, runId: string): Promise<SeenSession | null> {
  const read = await readJsonObject(file(root, slug))
  if (read.kind !== 'ok' || read.value.runId !== runId) return null
  const { mark, seenAt } = read.value
  const parsed = parseSessionMark(mark)
  if (parsed === null && mark !== null) return null
  return { runId, mark: parsed, seenAt: typeof seenAt === 'string' ? seenAt : '' }
}

/** Keeps what was seen of a run's conversation, durably; keys of a later version survive. */
export async function writeSession(root: StateRoot, slug: string, seen: SeenSession): Promise<void> {
  await makeAgentDir(root, slug)
  const read = await readJsonObject(file(root, slug))
  const known = read.kind === 'ok' ? read.value : {}
  await writeDurable(file(root, slug), `${JSON.stringify({ ...known, version: 1, ...seen }, null, 2)}\n`)
}

/** Not its parents: a bottle that was destroyed meanwhile stays gone. */
async function makeAgentDir(root: StateRoot, slug: string): Promise<void> {
  await mkdir(agentDir(root, slug), { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}
