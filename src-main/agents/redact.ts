import { looksRandom, TOKEN_RULES } from '../artifacts/scrub/rules.ts'

/** Shorter values would hide half of any text. */
const SHORTEST = 4

/**
 * Takes secrets out of lines: the given values, also where a terminal wrapped them, and whatever has the form of a
 * token. Every hidden character becomes `*`, so that the lines keep their shape. Pure.
 */
export function redactLines(lines: readonly string[], secrets: readonly string[]): readonly string[] {
  const text = lines.join('')
  const hidden = new Set<number>()
  for (const value of secrets) {
    for (const part of value.split(/[\r\n]+/)) hideValue(text, part, hidden)
  }
  let start = 0
  for (const line of lines) {
    hideTokens(line, start, hidden)
    start += line.length
  }
  hideTokens(text, 0, hidden)
  if (hidden.size === 0) return lines
  let offset = 0
  return lines.map((line) => {
    const from = offset
    offset += line.length
    return masked(line, from, hidden)
  })
}

/** As `redactLines`, for one text of any number of lines. Pure. */
export function redactText(text: string, secrets: readonly string[]): string {
  return redactLines(text.split('\n'), secrets).join('\n')
}

function hideValue(text: string, value: string, hidden: Set<number>): void {
  if (value.length < SHORTEST) return
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + 1)) {
    for (let index = at; index < at + value.length; index++) hidden.add(index)
  }
}

function hideTokens(text: string, offset: number, hidden: Set<number>): void {
  for (const rule of TOKEN_RULES) {
    if (!rule.needles.some((needle) => text.includes(needle))) continue
    for (const match of text.matchAll(rule.pattern)) {
      if (!looksRandom(match[0]) || rule.isReal?.(match[0]) === false) continue
      for (let index = 0; index < match[0].length; index++) hidden.add(offset + match.index + index)
    }
  }
}

function masked(line: string, from: number, hidden: ReadonlySet<number>): string {
  let text = ''
  for (let index = 0; index < line.length; index++) text += hidden.has(from + index) ? '*' : line[index]
  return text
}
