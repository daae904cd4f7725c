import type { UsageLimit } from '../../../src-preload/contract/agents.ts'

/** What a provider wrote about a conversation. A key that is absent was not told; null takes an older value back. */
export interface UsageFacts {
  /** Tokens that the last call had in its context. */
  readonly tokens?: number | null
  /** The model's window as the provider itself tells it, in tokens. */
  readonly window?: number | null
  /** As the provider tells it, 0 to 100. */
  readonly percent?: number | null
  readonly model?: string
  readonly sessionId?: string
  readonly costUsd?: number
  readonly limits?: readonly UsageLimit[]
  /** The last tool of the turn, null after a new prompt. */
  readonly tool?: string | null
  /** Not cut yet, as secrets are still in it. */
  readonly toolInput?: string | null
  /** Not cut yet. */
  readonly userMessage?: string
  /** Milliseconds since 1970 of the newest record. */
  readonly activityAt?: number
  /** What the newest record was: a person's words, a tool's call or result, the agent's answer. */
  readonly turn?: 'prompt' | 'tool' | 'answer'
  /** What the provider's service refused, not cut yet; null once a call went well again. */
  readonly trouble?: { readonly kind: 'limit' | 'sign-in' | 'other'; readonly text: string } | null
  /** Milliseconds since 1970 of the last compaction. */
  readonly compactedAt?: number
  /** Tokens that the context had before it. */
  readonly tokensBefore?: number
}

/** Reads the records of a transcript, oldest first, on top of what is known. */
export type TranscriptReader = (lines: readonly string[], known: UsageFacts) => UsageFacts

export type Fields = Readonly<Record<string, unknown>>

/** An object's fields; empty for anything else. */
export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A name, an id, a model: cut, since agents write these files. */
export function nameOf(value: unknown): string | undefined {
  return textOf(value)?.slice(0, 200)
}

/** A number of tokens or a share, never below 0. */
export function countOf(value: unknown): number | undefined {
  const found = numberOf(value)
  return found === undefined || found < 0 ? undefined : found
}

/** A percent from 0 to 100. */
export function shareOf(value: unknown): number | undefined {
  const found = numberOf(value)
  return found === undefined ? undefined : Math.min(100, Math.max(0, found))
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** Milliseconds since 1970 of an ISO text, or of a number in seconds or milliseconds. */
export function timeOf(value: unknown): number | undefined {
  const found = typeof value === 'string' ? Date.parse(value) : numberOf(value)
  if (found === undefined || Number.isNaN(found)) return undefined
  const at = typeof value === 'number' && found < 1e11 ? found * 1000 : found
  return Math.abs(at) <= LAST_DATE ? at : undefined
}

/** Milliseconds since 1970 beyond which there are no dates. */
const LAST_DATE = 8.64e15

/** A line's object; null for one that is cut or damaged, which costs itself and nothing else. */
export function parseLine(line: string): Fields | null {
  if (!line.startsWith('{')) return null
  try {
    return fields(JSON.parse(line))
  } catch {
    return null
  }
}

/** One line of at most so many characters. */
export function short(text: string, most: number): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > most ? `${line.slice(0, most - 1)}…` : line
}

const INPUT_KEYS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^(bash|shell|exec_command|local_shell)$/i, ['description', 'command', 'cmd']],
  [/^(edit|multiedit|write|read|notebookedit)$/i, ['file_path', 'path', 'notebook_path']],
  [/^(grep|glob|find|ls)$/i, ['pattern', 'path']],
  [/^(agent|task)$/i, ['description', 'subagent_type']],
  [/^mcp__/, ['text', 'chat_id', 'query']],
]

/** More characters than one secret can have: a text is cut shorter only once secrets are taken out of it. */
const WHOLE_MAX = 128 * 1024

/** A text as it is kept until secrets are taken out of it. */
export function whole(text: string): string {
  return text.trim().slice(0, WHOLE_MAX)
}

/** What a tool was called with, not cut yet; null when there is nothing to show. */
export function toolInputText(name: string, input: unknown): string | null {
  if (typeof input === 'string') return whole(input) || null
  const given = fields(input)
  const keys = INPUT_KEYS.find(([pattern]) => pattern.test(name))?.[1] ?? Object.keys(given)
  for (const key of keys) {
    const value = given[key]
    const text = Array.isArray(value) ? value.filter((part) => typeof part === 'string').join(' ') : value
    if (typeof text === 'string' && text.trim() !== '') return whole(text)
  }
  return null
}

/** After a compaction what the context holds is told by the next answer. Pure. */
export function compacted(known: UsageFacts, at: number | undefined): UsageFacts {
  return {
    tokens: null,
    ...(typeof known.tokens === 'number' ? { tokensBefore: known.tokens } : {}),
    ...(at === undefined ? {} : { compactedAt: at }),
  }
}

/**
 * What all records together tell, the oldest first; a line that is none is passed over. `changeOf` tells what one record
 * changes, null for nothing; its time is in milliseconds since 1970. Pure.
 */
export function foldRecords(
  lines: readonly string[],
  known: UsageFacts,
  changeOf: (record: Fields, at: number | undefined, facts: UsageFacts) => UsageFacts | null,
): UsageFacts {
  let facts = known
  for (const line of lines) {
    const record = parseLine(line)
    if (record === null) continue
    const at = timeOf(record.timestamp)
    const change = changeOf(record, at, facts)
    if (change === null) continue
    facts = { ...facts, ...change, ...(at === undefined ? {} : { activityAt: at }) }
  }
  return facts
}
