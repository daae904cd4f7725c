import { appendFile, stat } from 'node:fs/promises'
import type { JournalEntry } from '../../src-preload/contract/index.ts'
import { readText, writeDurable } from './durable-file.ts'
import type { StateRoot } from './root.ts'

/** Bytes after which the older half of a journal is dropped. */
const CAP = 262_144
/** Characters of one message: a single line must never fill the journal. */
const LONGEST = 4_000

function file(root: StateRoot, slug: string): string {
  return root.path('state', slug, 'events.jsonl')
}

/** Adds a line to `events.jsonl`. A journal that can't be written never stops the operation it tells of. */
export async function appendJournal(
  root: StateRoot,
  slug: string,
  entry: Omit<JournalEntry, 'at'>,
): Promise<void> {
  const path = file(root, slug)
  try {
    const line = { at: new Date().toISOString(), ...entry, message: entry.message.slice(0, LONGEST) }
    await appendFile(path, `${JSON.stringify(line)}\n`, { mode: 0o600 })
    if ((await stat(path)).size > CAP) await dropOlderHalf(path)
  } catch {
    // The folder may just have moved to the trash, or the disk is full: the operation tells its own error.
  }
}

async function dropOlderHalf(path: string): Promise<void> {
  const content = (await readText(path)) ?? ''
  const middle = content.indexOf('\n', Math.floor(content.length / 2))
  await writeDurable(path, content.slice(middle + 1))
}

/** The journal, oldest first; lines that can't be read are left out. */
export async function readJournal(root: StateRoot, slug: string): Promise<readonly JournalEntry[]> {
  const content = (await readText(file(root, slug))) ?? ''
  return content.split('\n').flatMap((line) => {
    if (!line) return []
    try {
      const value: unknown = JSON.parse(line)
      return isEntry(value) ? [value] : []
    } catch {
      return []
    }
  })
}

function isEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null) return false
  const entry = value as Partial<Record<keyof JournalEntry, unknown>>
  return [entry.at, entry.op, entry.outcome, entry.message].every((part) => typeof part === 'string')
}
