// biome-ignore-all lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
/** A piece of a line in one style. */
export interface Span {
  readonly text: string
  /** One of the sixteen colours, or null for the plain one. */
  readonly color: number | null
  readonly isBold: boolean
  readonly isDim: boolean
}

const SEQUENCE =
  /\u001b\[([0-9;:]*)m|\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)|\u001b[ -/]*[0-~]|[\u0000-\u0008\u000b-\u001f\u007f]/g

/** A line without escape sequences, for search and copy. */
export function plainText(line: string): string {
  return line.replace(SEQUENCE, '')
}

/** A line as spans: the sixteen colours, bold and dim are kept, everything else is dropped. */
export function spansOf(line: string): readonly Span[] {
  const spans: Span[] = []
  let style: Omit<Span, 'text'> = { color: null, isBold: false, isDim: false }
  let from = 0
  for (const match of line.matchAll(SEQUENCE)) {
    if (match.index > from) spans.push({ text: line.slice(from, match.index), ...style })
    from = match.index + match[0].length
    if (match[1] !== undefined) style = afterCodes(style, match[1])
  }
  if (from < line.length) spans.push({ text: line.slice(from), ...style })
  return spans
}

function afterCodes(style: Omit<Span, 'text'>, text: string): Omit<Span, 'text'> {
  const codes = text === '' ? [0] : text.split(/[;:]/).map(Number)
  let next = style
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0
    if (code === 0) next = { color: null, isBold: false, isDim: false }
    else if (code === 1) next = { ...next, isBold: true }
    else if (code === 2) next = { ...next, isDim: true }
    else if (code === 22) next = { ...next, isBold: false, isDim: false }
    else if (code === 39) next = { ...next, color: null }
    else if (code >= 30 && code <= 37) next = { ...next, color: code - 30 }
    else if (code >= 90 && code <= 97) next = { ...next, color: code - 82 }
    else if (code === 38 || code === 48) {
      const isIndexed = codes[index + 1] === 5
      const color = codes[index + 2] ?? 0
      if (code === 38) next = { ...next, color: isIndexed && color < 16 ? color : null }
      index += isIndexed ? 2 : 4
    }
  }
  return next
}
