import type { KnownSecret } from './types.ts'

/** Shorter values are found everywhere by chance. */
const SHORTEST = 6
/** Base64 of less is found by chance too. */
const SHORTEST_ENCODED = 9

/** Texts that stand for one declared secret. */
export interface SecretValue {
  readonly name: string
  readonly variants: readonly Buffer[]
}

/** Secrets that can be searched for literally: as they are, as JSON and URLs escape them, and inside base64. Pure. */
export function searchableValues(secrets: readonly KnownSecret[]): readonly SecretValue[] {
  return secrets
    .filter((secret) => isSearchable(secret.value))
    .map(({ name, value }) => ({ name, variants: variantsOf(value) }))
}

/** Names of the secrets whose values are too short to be searched for. Pure. */
export function unsearchableNames(secrets: readonly KnownSecret[]): readonly string[] {
  return secrets
    .filter((secret) => secret.value !== '' && !isSearchable(secret.value))
    .map(({ name }) => name)
}

function isSearchable(value: string): boolean {
  // One letter many times is what a stripped secret is filled with.
  return value.trim().length >= SHORTEST && new Set(value).size > 1
}

function variantsOf(value: string): readonly Buffer[] {
  const texts = new Set([value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value)])
  // A trailing newline belongs to the file that the value was read from.
  if (value.trim() !== value) texts.add(value.trim())
  const bytes = Buffer.from(value)
  if (bytes.length >= SHORTEST_ENCODED) {
    for (const encoded of insideBase64(bytes)) {
      texts.add(encoded)
      texts.add(encoded.replaceAll('+', '-').replaceAll('/', '_'))
    }
  }
  return [...texts].map((text) => Buffer.from(text))
}

/** What of a value's base64 is the same whatever stands before and behind it, at each of the three alignments. */
function insideBase64(bytes: Buffer): readonly string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const from = Math.ceil((before * 8) / 6)
    const to = Math.floor(((before + bytes.length) * 8) / 6)
    return text.slice(from, to)
  })
}
