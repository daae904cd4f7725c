import type { FileHandle } from 'node:fs/promises'
import { open, stat } from 'node:fs/promises'
import type { ActivityEntry, HookRecord } from '../../src-preload/contract/agents.ts'
import { endInWords, shortRun } from '../agents/hooks/run-hooks.ts'
import { requireSlug } from '../state/slug.ts'
import type { BottleDeps } from './deps.ts'
import { readSlugs } from './read-slugs.ts'

/** Bytes read from the end of one journal; about eighty lines. */
const TAIL = 16_384
/** A hook that failed is told in two journals; so far apart at most, in milliseconds. */
const SAME_MS = 5000
/** Journals read at once. */
const BATCH = 16

interface Journal {
  readonly slug: string
  readonly file: string
  /** Milliseconds since 1970: no line in it is newer. */
  readonly touchedAt: number
  readonly parse: (line: Readonly<Record<string, unknown>>, slug: string) => ActivityEntry | null
}

/**
 * What happened last to all bottles, or to one, newest first: operations, hooks and what was done by rule. Reads only the
 * ends of journals, the last touched first, and stops when the rest can't hold anything newer.
 */
export async function readActivity(
  deps: Pick<BottleDeps, 'root'>,
  { slug, limit }: { readonly slug?: string | undefined; readonly limit: number },
): Promise<readonly ActivityEntry[]> {
  const slugs = slug === undefined ? await readSlugs(deps) : [requireSlug(slug)]
  const found = await Promise.all(slugs.flatMap((each) => JOURNALS.map((journal) => journal(deps, each))))
  const journals = found.filter((journal) => journal !== null).sort((a, b) => b.touchedAt - a.touchedAt)
  let newest: readonly ActivityEntry[] = []
  for (let at = 0; at < journals.length; at += BATCH) {
    const oldest = newest.length < limit ? undefined : newest.at(-1)
    if (oldest && Date.parse(oldest.at) > (journals[at]?.touchedAt ?? 0)) break
    const read = await Promise.all(journals.slice(at, at + BATCH).map(readTail))
    newest = newestOf([...newest, ...read.flat()], limit)
  }
  return newest
}

/** The newest entries, newest first; of one moment the later line first, and what two journals tell only once. Pure. */
export function newestOf(entries: readonly ActivityEntry[], limit: number): readonly ActivityEntry[] {
  const told = new Map<string, number>()
  return entries
    .toReversed()
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
    .filter((entry) => {
      if (entry.op !== 'hook' || entry.outcome !== 'failed') return true
      const name = `${entry.slug} ${entry.message}`
      const at = Date.parse(entry.at)
      const isTold = Math.abs((told.get(name) ?? Number.NEGATIVE_INFINITY) - at) < SAME_MS
      told.set(name, at)
      return !isTold
    })
    .slice(0, limit)
}

const JOURNALS: readonly ((deps: Pick<BottleDeps, 'root'>, slug: string) => Promise<Journal | null>)[] = [
  ({ root }, slug) => journalAt(root.path('state', slug, 'events.jsonl'), slug, operationOf),
  ({ root }, slug) => journalAt(root.path('state', slug, 'agent', 'hooks.jsonl'), slug, hookOf),
]

async function journalAt(file: string, slug: string, parse: Journal['parse']): Promise<Journal | null> {
  const found = await stat(file).catch(() => null)
  return found?.isFile() ? { slug, file, touchedAt: found.mtimeMs, parse } : null
}

/** A journal that can't be read has nothing to tell; a damaged line costs itself. */
async function readTail({ slug, file, parse }: Journal): Promise<readonly ActivityEntry[]> {
  let handle: FileHandle | undefined
  try {
    handle = await open(file, 'r')
    const { size } = await handle.stat()
    const from = Math.max(0, size - TAIL)
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(size - from), 0, size - from, from)
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
    // What begins before the tail is half a line, and reads as a damaged one.
    return lines.flatMap((line) => entryOf(line, slug, parse))
  } catch {
    return []
  } finally {
    await handle?.close().catch(() => undefined)
  }
}

function entryOf(line: string, slug: string, parse: Journal['parse']): readonly ActivityEntry[] {
  if (!line) return []
  try {
    const value: unknown = JSON.parse(line)
    const entry = typeof value === 'object' && value !== null ? parse(value as never, slug) : null
    return entry ? [entry] : []
  } catch {
    return []
  }
}

const OUTCOMES: readonly unknown[] = [
  'started',
  'done',
  'failed',
  'cancelled',
  'recovered',
  'notice',
] satisfies ActivityEntry['outcome'][]

function operationOf(line: Readonly<Record<string, unknown>>, slug: string): ActivityEntry | null {
  const { at, op, outcome, message } = line
  if (![at, op, message].every((part) => typeof part === 'string') || !OUTCOMES.includes(outcome)) return null
  return {
    at,
    slug,
    op,
    outcome,
    message: op === 'hook' ? withoutHint(String(message)) : message,
  } as ActivityEntry
}

/** The bottle's own journal says of a failed hook where to read on at a terminal. */
function withoutHint(message: string): string {
  return message.split(' icebox hooks ')[0] ?? message
}

/** A hook that was only tried is no event of the bottle. */
function hookOf(line: Readonly<Record<string, unknown>>, slug: string): ActivityEntry | null {
  const { at, point, run, outcome, code, kind, isTrial } = line
  if (isTrial === true || ![at, point, run, outcome].every((part) => typeof part === 'string')) return null
  const end = outcome === 'done' ? 'ran' : endInWords({ outcome, code, kind } as HookRecord)
  const message = `The ${point} hook “${shortRun(String(run))}” ${end}.`
  return { at: String(at), slug, op: 'hook', outcome: outcome === 'done' ? 'done' : 'failed', message }
}
