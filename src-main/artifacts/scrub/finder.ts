import { createPairTable, type KeyedNeedle, keyOf } from './pair-table.ts'
import { looksRandom, MOST_AHEAD, MOST_BACK, TOKEN_RULES, type TokenRule } from './rules.ts'
import type { SecretValue } from './values.ts'

/** A stretch of a stream that is a secret. */
export interface Hit {
  readonly offset: number
  readonly length: number
  /** `GitHub token`, `declared secret API_KEY`. */
  readonly rule: string
  /** True for forms that are not looked for in the folders of packages. */
  readonly isCommonInPackages: boolean
}

/** Searches a stream for secrets, whatever the borders of its chunks. */
export interface Finder {
  /** Hits that are certain now, in no order; each is told once. */
  push(chunk: Uint8Array): readonly Hit[]
  finish(): readonly Hit[]
  /** Every hit before this offset has been told. */
  readonly settled: () => number
}

export interface Needle extends KeyedNeedle {
  readonly check: (window: Buffer, at: number) => { readonly from: number; readonly to: number } | null
  readonly rule: string
  readonly isCommonInPackages: boolean
}

const ROOM = 1024 * 1024

/** What to search for: declared values, and known forms of tokens unless they were searched for before. */
export function makeNeedles(values: readonly SecretValue[], withTokens: boolean): readonly Needle[] {
  const literal = values.flatMap(({ name, variants }) =>
    variants.map((bytes): Needle => {
      // Only its beginning is compared when a value is longer than what is kept in sight.
      const shown = bytes.subarray(0, 8192)
      const check = (_window: Buffer, at: number) => ({ from: at, to: at + bytes.length })
      return {
        bytes: shown,
        key: keyOf(shown),
        check,
        rule: `declared secret ${name}`,
        isCommonInPackages: false,
      }
    }),
  )
  const tokens = withTokens ? TOKEN_RULES.flatMap(needlesOf) : []
  return [...literal, ...tokens]
}

function needlesOf(rule: TokenRule): readonly Needle[] {
  return rule.needles.map((text) => ({
    bytes: Buffer.from(text, 'latin1'),
    key: keyOf(Buffer.from(text, 'latin1')),
    check: (window, at) => matchAround(rule, window, at, text.length),
    rule: rule.name,
    isCommonInPackages: rule.isCommonInPackages === true,
  }))
}

function matchAround(rule: TokenRule, window: Buffer, at: number, length: number) {
  const start = Math.max(0, at - MOST_BACK)
  const text = window.toString('latin1', start, Math.min(window.length, at + rule.ahead))
  const needle = at - start
  for (const match of text.matchAll(rule.pattern)) {
    if (match.index > needle) return null
    if (match.index + match[0].length < needle + length) continue
    if (!looksRandom(match[0]) || rule.isReal?.(match[0]) === false) return null
    // Of an assignment only the value is the secret.
    const secret = match.groups?.secret
    const from = start + match.index + (secret === undefined ? 0 : match[0].lastIndexOf(secret))
    return { from, to: from + (secret ?? match[0]).length }
  }
  return null
}

/** A finder for these needles; it holds about a megabyte, however long the stream is. */
export function createFinder(needles: readonly Needle[], room = ROOM): Finder {
  const buffer = Buffer.allocUnsafe(MOST_BACK + MOST_AHEAD + room)
  const table = createPairTable(needles)
  let filled = 0
  /** Position of the buffer's first byte in the stream. */
  let base = 0
  /** Where in the buffer no needle was looked for yet. */
  let next = 0
  const told = new Set<string>()

  function search(until: number): Hit[] {
    const hits: Hit[] = []
    const window = buffer.subarray(0, filled)
    table.scan(window, next, until, (needle, at) => {
      const found = needle.check(window, at)
      if (found) add(hits, needle, base + found.from, found.to - found.from)
    })
    next = Math.max(next, until)
    return hits
  }

  /** Two needles of one rule may lie in one match. */
  function add(hits: Hit[], needle: Needle, offset: number, length: number): void {
    const key = `${offset} ${needle.rule}`
    if (told.has(key)) return
    told.add(key)
    hits.push({ offset, length, rule: needle.rule, isCommonInPackages: needle.isCommonInPackages })
  }

  function makeRoom(): Hit[] {
    const until = filled - MOST_AHEAD
    const hits = search(until)
    const from = until - MOST_BACK
    buffer.copyWithin(0, from, filled)
    filled -= from
    next -= from
    base += from
    return hits
  }

  return {
    push(chunk) {
      const hits: Hit[] = []
      for (let at = 0; at < chunk.length; ) {
        const part = Math.min(chunk.length - at, buffer.length - filled)
        buffer.set(chunk.subarray(at, at + part), filled)
        filled += part
        at += part
        if (filled === buffer.length) hits.push(...makeRoom())
      }
      return hits
    },
    finish: () => search(filled),
    settled: () => base + next - MOST_BACK,
  }
}

/** Every secret in a short text, as stretches of its UTF-8 bytes. */
export function findInText(needles: readonly Needle[], text: string): readonly Hit[] {
  if (text.length < 6) return []
  const bytes = Buffer.from(text)
  const finder = createFinder(needles, Math.min(bytes.length, ROOM))
  return [...finder.push(bytes), ...finder.finish()]
}
