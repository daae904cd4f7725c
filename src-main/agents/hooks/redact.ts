import { createFinder, makeNeedles, type Needle } from '../../artifacts/scrub/finder.ts'
import { searchableValues } from '../../artifacts/scrub/values.ts'
import type { Json } from '../definitions.ts'

/** Takes secrets out of what is kept or shown. */
export interface Redactor {
  text(text: string): string
  /** The end of a text, at most `bytes` of it: looked at as a whole first, so that no half of a secret stays. */
  tail(text: string, bytes: number): string
  json(value: Json): Json
}

/** Stands where a secret was. */
export const HIDDEN = '[secret]'

interface Span {
  readonly from: number
  readonly to: number
}

// A name that says what it holds, a sign, and the value; or the value of an Authorization header.
const NAMED =
  /(?<before>(?:api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|auth[_-]?token|token|secret|passwd|password|passphrase)["']?\s{0,3}[=:]\s{0,3}["']?|authorization["']?\s{0,3}[=:]\s{0,3}["']?(?:(?:bearer|basic|token)\s+)?|bearer\s+)(?<value>[^\s"'&,;]{6,})/gi
const USERINFO = /(?<before>\b[a-z][a-z0-9+.-]{1,20}:\/\/)(?<value>[^\s/@"']{1,300})@/gi

/**
 * Finds the given values (as they are, escaped, in base64), the known forms of tokens, what a name calls secret, and
 * names and passwords in addresses. Values of fewer than six characters are found everywhere by chance and stay.
 */
export function makeRedactor(secrets: readonly string[]): Redactor {
  const values = searchableValues([...new Set(secrets)].map((value) => ({ name: 'secret', value })))
  const needles = makeNeedles(values, true)
  const tail = (text: string, bytes: number): string => {
    const all = Buffer.from(text)
    return cutSpans(all, findSpans(needles, text, all), Math.max(0, all.length - bytes))
  }
  const whole = (text: string): string => tail(text, Number.POSITIVE_INFINITY)
  return { text: whole, tail, json: (value) => redactJson(value, whole) }
}

/** Stretches of the text's bytes that are secret, in order and without overlap. */
function findSpans(needles: readonly Needle[], text: string, bytes: Buffer): readonly Span[] {
  const finder = createFinder(needles, Math.max(1, Math.min(bytes.length, 1024 * 1024)))
  const hits = [...finder.push(bytes), ...finder.finish()].map(({ offset, length }) => ({
    from: offset,
    to: Math.min(bytes.length, offset + length),
  }))
  return merge([...hits, ...patternSpans(text, NAMED), ...patternSpans(text, USERINFO)])
}

function patternSpans(text: string, pattern: RegExp): readonly Span[] {
  return [...text.matchAll(pattern)].map((match) => {
    const { before = '', value = '' } = match.groups ?? {}
    const from = Buffer.byteLength(text.slice(0, match.index + before.length))
    return { from, to: from + Buffer.byteLength(value) }
  })
}

function merge(spans: readonly Span[]): readonly Span[] {
  const merged: Span[] = []
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last && span.from <= last.to)
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) }
    else merged.push(span)
  }
  return merged
}

/** The text from an offset on, which moves behind a secret or the middle of a character that it would cut. */
function cutSpans(bytes: Buffer, spans: readonly Span[], start: number): string {
  let at = start
  while (at < bytes.length && at > 0 && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++
  let shown = ''
  for (const { from, to } of spans) {
    if (to <= at) continue
    if (from > at) shown += bytes.toString('utf8', at, from)
    shown += HIDDEN
    at = to
  }
  return shown + bytes.toString('utf8', at)
}

function redactJson(value: Json, text: (text: string) => string): Json {
  if (typeof value === 'string') return text(value)
  if (typeof value !== 'object' || value === null) return value
  if (isList(value)) return value.map((item) => redactJson(item, text))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [text(key), redactJson(item, text)]))
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

// Escape sequences first, as a whole; then every other control character but tab and new line.
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes.
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]{0,2000}(?:\u0007|\u001b\\)|[PX^_][^\u001b]{0,2000}\u001b\\|[ -/]*[0-~])/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g

/** Output as harmless lines: nothing in it drives a terminal or hides a text in two. Pure. */
export function plainText(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r\n?/g, '\n')
    .replace(ESCAPES, '')
    .replace(CONTROLS, '')
}

/** An address as it may be shown: without user, values of its query, fragment and parts of its path that look random. Pure. */
export function shownAddress(address: string): string {
  let url: URL
  try {
    url = new URL(address)
  } catch {
    return 'an address that cannot be read'
  }
  const path = url.pathname
    .split('/')
    .map((part) => (/^(?=.*\d)(?=.*[A-Za-z])[\w.~%-]{16,}$/.test(part) ? '…' : part))
    .join('/')
  const names = [...new Set(url.searchParams.keys())]
  const query = names.length > 0 ? `?${names.map((name) => `${name}=…`).join('&')}` : ''
  return `${url.protocol}//${url.host}${path}${query}`
}
