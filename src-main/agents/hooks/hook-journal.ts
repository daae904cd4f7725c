import { appendFile, mkdir, stat } from 'node:fs/promises'
import { HookPoint, type HookRecord } from '../../../src-preload/contract/agents.ts'
import { agentDir } from '../../state/agent-sample.ts'
import { isMissing, readJsonObject, readText, writeDurable } from '../../state/durable-file.ts'
import type { StateRoot } from '../../state/root.ts'
import { withShortLock } from '../../state/short-lock.ts'
import { isBottleError } from '../../system/bottle-error.ts'
import type { Json } from '../definitions.ts'
import type { HookContext } from './types.ts'

/** Bytes after which the older half of a journal is dropped. */
const CAP = 512 * 1024
/** Characters of a command line that a record keeps. */
const LONGEST_RUN = 2000

const journalFile = (root: StateRoot, slug: string) => root.path('state', slug, 'agent', 'hooks.jsonl')
const payloadFile = (root: StateRoot, slug: string) => root.path('state', slug, 'agent', 'hook-payloads.json')
const lockFile = (root: StateRoot, slug: string) => root.path('state', slug, 'agent', '.hooks.lock')

/**
 * Makes the folder of a bottle's agent facts; false when the bottle itself is gone, of which nothing is made anew.
 */
export async function ensureAgentDir(root: StateRoot, slug: string): Promise<boolean> {
  try {
    await mkdir(agentDir(root, slug), { mode: 0o700 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return true
    if (isMissing(error)) return false
    throw error
  }
}

/** Adds a record, free of secrets already. A bottle that is gone meanwhile has no journal any more. */
export async function appendHookRecord(root: StateRoot, slug: string, record: HookRecord): Promise<void> {
  if (!(await ensureAgentDir(root, slug))) return
  const path = journalFile(root, slug)
  const line = `${JSON.stringify({ ...record, run: record.run.slice(0, LONGEST_RUN) })}\n`
  try {
    await withShortLock(lockFile(root, slug), async () => {
      await appendFile(path, line, { mode: 0o600 })
      if ((await stat(path)).size > CAP) await dropOlderHalf(path)
    })
  } catch (thrown) {
    if (!isBottleError(thrown) || thrown.code !== 'busy') throw thrown
    // A slow disk: what another process drops meanwhile may take the line along, which is better than to lose it for certain.
    await appendFile(path, line, { mode: 0o600 })
  }
}

async function dropOlderHalf(path: string): Promise<void> {
  const content = (await readText(path)) ?? ''
  const middle = content.indexOf('\n', Math.floor(content.length / 2))
  await writeDurable(path, content.slice(middle + 1))
}

/** The journal, oldest first, at most the last `limit`; lines that can't be read are left out. */
export async function readHookJournal(
  root: StateRoot,
  slug: string,
  limit = 200,
): Promise<readonly HookRecord[]> {
  const content = (await readText(journalFile(root, slug))) ?? ''
  return content
    .split('\n')
    .flatMap((line) => {
      const record = line === '' ? null : parseRecord(line)
      return record ? [record] : []
    })
    .slice(-limit)
}

/** One line of the journal; null when it is damaged. Pure. */
export function parseRecord(line: string): HookRecord | null {
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : null
  } catch {
    return null
  }
}

function isRecord(value: unknown): value is HookRecord {
  if (typeof value !== 'object' || value === null) return false
  const { at, point, kind, run, required, outcome, code, durationMs, output, runId, isTrial } =
    value as Partial<Record<keyof HookRecord, unknown>>
  return (
    HookPoint.safeParse(point).success &&
    (kind === 'shell' || kind === 'url') &&
    (outcome === 'done' || outcome === 'failed' || outcome === 'timeout') &&
    [at, run, output].every((part) => typeof part === 'string') &&
    [required, isTrial].every((part) => typeof part === 'boolean') &&
    typeof durationMs === 'number' &&
    (code === null || typeof code === 'number') &&
    (runId === null || typeof runId === 'string')
  )
}

/** Keeps what a point was told last, so that it can be tried. */
export async function rememberPayload(
  root: StateRoot,
  slug: string,
  point: HookPoint,
  context: HookContext,
): Promise<void> {
  if (!(await ensureAgentDir(root, slug))) return
  await withShortLock(lockFile(root, slug), async () => {
    const read = await readJsonObject(payloadFile(root, slug))
    const known = read.kind === 'ok' ? read.value : {}
    const at = new Date().toISOString()
    await writeDurable(
      payloadFile(root, slug),
      `${JSON.stringify({ ...known, [point]: { at, context } }, null, 2)}\n`,
    )
  })
}

/** What a point was told last; null when it never came or can't be read. */
export async function lastPayload(
  root: StateRoot,
  slug: string,
  point: HookPoint,
): Promise<HookContext | null> {
  const read = await readJsonObject(payloadFile(root, slug))
  if (read.kind !== 'ok') return null
  const entry = read.value[point] as { readonly context?: Json } | undefined
  const context = entry?.context
  return typeof context === 'object' && context !== null && !Array.isArray(context)
    ? (context as HookContext)
    : null
}
