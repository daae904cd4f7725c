import type { Json } from './definitions.ts'
import type { Field, Located } from './frontmatter.ts'
import { didYouMean, quoted, type Report } from './problems.ts'

export type Fields = ReadonlyMap<string, Field>

const NAME_OF: Readonly<Record<Located['kind'], string>> = {
  map: 'a map of keys',
  list: 'a list',
  scalar: 'a single value',
}

/** True for a key that is there but has no value (`egress:` and nothing behind it). */
export function isEmpty(value: Located): boolean {
  return value.kind === 'scalar' && value.value === null
}

/** True for a key that other programs own. */
export function isForeign(key: string): boolean {
  return key.startsWith('x-') && key.length > 2
}

/**
 * The entries of a map. With `known`, any other key is a problem with a "did you mean", but for `x-…`, which belongs
 * to other programs. An empty value counts as an empty map.
 */
export function readFields(
  value: Located,
  what: string,
  known: readonly string[] | null,
  report: Report,
): Fields {
  if (isEmpty(value)) return new Map()
  if (value.kind !== 'map') {
    report(value.line, `${what} must be a map of keys, not ${NAME_OF[value.kind]}.`)
    return new Map()
  }
  const fields = new Map<string, Field>()
  for (const field of value.entries) {
    if (known && !known.includes(field.key)) {
      if (!isForeign(field.key))
        report(field.line, `${what} has an unknown key ${quoted(field.key)}.`, didYouMean(field.key, known))
    } else {
      fields.set(field.key, field)
    }
  }
  return fields
}

/** A text, or undefined when the key is absent or empty. Numbers and booleans are taken as written. */
export function readText(field: Field | undefined, report: Report, what = field?.key): string | undefined {
  if (!field || isEmpty(field.value)) return undefined
  if (field.value.kind !== 'scalar') {
    report(field.line, `\`${what}\` must be a text, not ${NAME_OF[field.value.kind]}.`)
    return undefined
  }
  if (field.value.text.includes('\0')) {
    report(field.line, `\`${what}\` holds a NUL character.`)
    return undefined
  }
  return field.value.text
}

/** One of a few words, or undefined. */
export function readChoice<T extends string>(
  field: Field | undefined,
  choices: readonly T[],
  report: Report,
): T | undefined {
  const text = readText(field, report)
  if (field === undefined || text === undefined) return undefined
  const found = choices.find((choice) => choice === text)
  if (!found) {
    report(field.line, `\`${field.key}\` can't be ${quoted(text)}.`, didYouMean(text, choices))
  }
  return found
}

export function readBoolean(field: Field | undefined, report: Report): boolean | undefined {
  if (!field || isEmpty(field.value)) return undefined
  if (field.value.kind === 'scalar' && typeof field.value.value === 'boolean') return field.value.value
  report(field.line, `\`${field.key}\` must be true or false.`)
  return undefined
}

export interface NumberRange {
  readonly min: number
  readonly max: number
  /** No fractions. */
  readonly whole?: boolean
}

/** A number within bounds, or undefined when the key is absent, empty or wrong. */
export function readNumber(field: Field | undefined, range: NumberRange, report: Report): number | undefined {
  const text = readText(field, report)
  if (field === undefined || text === undefined) return undefined
  const number = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text.trim()) ? Number(text) : Number.NaN
  const fits = number >= range.min && number <= range.max
  if (fits && (range.whole !== true || Number.isInteger(number))) return number
  const kind = range.whole === true ? 'a whole number' : 'a number'
  report(
    field.line,
    `\`${field.key}\` can't be ${quoted(text)}.`,
    `Write ${kind} from ${range.min} to ${range.max}.`,
  )
  return undefined
}

/** The items of a list that may hold maps; a single value counts as a list of one. Empty when absent. */
export function readItems(field: Field | undefined): readonly Located[] {
  if (!field || isEmpty(field.value)) return []
  return field.value.kind === 'list' ? field.value.items : [field.value]
}

/** A list of texts with their lines; a single text counts as a list of one when `allowSingle`. */
export function readTexts(
  field: Field | undefined,
  report: Report,
  allowSingle = false,
): readonly { readonly text: string; readonly line: number }[] | undefined {
  if (!field || isEmpty(field.value)) return undefined
  if (allowSingle && field.value.kind === 'scalar') {
    const text = readText(field, report)
    return text === undefined ? undefined : [{ text, line: field.line }]
  }
  if (field.value.kind !== 'list') {
    report(field.line, `\`${field.key}\` must be a list, not ${NAME_OF[field.value.kind]}.`)
    return undefined
  }
  const texts: { text: string; line: number }[] = []
  for (const item of field.value.items) {
    if (item.kind !== 'scalar' || item.value === null) {
      report(item.line, `Every item of \`${field.key}\` must be a text.`)
    } else if (item.text.includes('\0')) {
      report(item.line, `\`${field.key}\` holds a NUL character.`)
    } else {
      texts.push({ text: item.text, line: item.line })
    }
  }
  return texts
}

/** Plain data for keys whose meaning belongs to others. */
export function toJson(value: Located): Json {
  if (value.kind === 'scalar') return value.value
  if (value.kind === 'list') return value.items.map(toJson)
  return Object.fromEntries(value.entries.map((field) => [field.key, toJson(field.value)]))
}
