import { mkdir } from 'node:fs/promises'
import { agentDir } from '../../state/agent-sample.ts'
import { quarantine, readJsonObject, writeDurable } from '../../state/durable-file.ts'
import type { StateRoot } from '../../state/root.ts'
import type { RunEnd } from './back-off.ts'
import { type FreezeRule, freshSupervision, type Supervision } from './supervision.ts'

function file(root: StateRoot, slug: string): string {
  return root.path('state', slug, 'agent', 'supervision.json')
}

/**
 * What an earlier supervisor kept; null for none, `damaged` for one that can't be read, of which a copy stays: what it
 * held is lost, but somebody has been there.
 */
export async function readSupervision(
  root: StateRoot,
  slug: string,
): Promise<Supervision | 'damaged' | null> {
  const read = await readJsonObject(file(root, slug))
  if (read.kind === 'absent') return null
  if (read.kind === 'corrupt') await quarantine(root.dir, read.file).catch(() => undefined)
  return (read.kind === 'ok' ? parseSupervision(read.value) : null) ?? 'damaged'
}

/** Keeps it durably; keys of a later version survive. */
export async function writeSupervision(
  root: StateRoot,
  slug: string,
  generation: number,
  supervision: Supervision,
): Promise<void> {
  const path = file(root, slug)
  const read = await readJsonObject(path)
  const others = read.kind === 'ok' ? read.value : {}
  const text = JSON.stringify({ ...others, version: 1, generation, ...supervision }, null, 2)
  // The bottle's own folder is never made here: a destroyed one must not come back.
  await mkdir(agentDir(root, slug), { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await writeDurable(path, `${text}\n`)
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
const number = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null
const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)

const EXITS = ['due', 'done', 'gave-up'] as const
const RULES: readonly FreezeRule[] = ['exit', 'idle', 'context', 'interval', 'before-context']

/** Null for a file that names no launch; what else is missing or odd gets what holds for a new one. Pure. */
export function parseSupervision(raw: Readonly<Record<string, unknown>>): Supervision | null {
  const runId = text(raw.runId)
  const startedAt = text(raw.startedAt)
  if (runId === null || startedAt === null) return null
  const fresh = freshSupervision({ runId, startedAt }, 0)
  const restarts = record(raw.restarts)
  const startup = record(raw.startup)
  const freezes = record(raw.freezes)
  return {
    ...fresh,
    restarts: {
      tries: numbers(restarts.tries),
      nextAt: number(restarts.nextAt),
      begun: restarts.begun === 'crash' || restarts.begun === 'context' ? restarts.begun : null,
      gaveUp: text(restarts.gaveUp),
      cutAt: number(restarts.cutAt),
      contextTries: numbers(restarts.contextTries),
    },
    startup: {
      state: startup.state === 'done' || startup.state === 'failed' ? startup.state : 'pending',
      progress: startup.progress ?? null,
    },
    context: raw.context ?? null,
    freezes: {
      exit: EXITS.find((exit) => exit === freezes.exit) ?? 'none',
      retryAt: number(freezes.retryAt),
      retries: number(freezes.retries) ?? 0,
      idle: freezes.idle ? { activityAt: text(record(freezes.idle).activityAt) } : null,
      again: parseAgain(freezes.again),
      isContextDone: freezes.isContextDone === true,
      lastAt: number(freezes.lastAt) ?? 0,
      cannot: freezes.cannot === true,
    },
    trouble: text(raw.trouble),
    end: parseEnd(raw.end),
  }
}

function numbers(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.flatMap((item) => number(item) ?? []) : []
}

function parseEnd(value: unknown): RunEnd | null {
  const { code, isStopped, at } = record(value)
  const when = number(at)
  return when === null ? null : { code: number(code), isStopped: isStopped === true, at: when }
}

function parseAgain(value: unknown): Supervision['freezes']['again'] {
  const { rule: name, note, at, tries } = record(value)
  const rule = RULES.find((known) => known === name)
  if (!rule) return null
  // A try that was under way when its supervisor was killed is made anew.
  return { rule, note: text(note) ?? '', at: number(at) ?? 0, tries: number(tries) ?? 1 }
}
