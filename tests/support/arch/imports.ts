/** One import, export-from or dynamic import as written in a source file. */
export interface ImportLine {
  readonly specifier: string
  /** Erased by the compiler: `import type`, or every name in braces marked `type`. */
  readonly isTypeOnly: boolean
  readonly isDynamic: boolean
}

/**
 * Blanks comments and keeps everything else at its place. A plain scanner: a quote inside a regular expression
 * confuses it at most until the end of that line.
 */
export function withoutComments(source: string): string {
  let out = ''
  let quote = ''
  for (let at = 0; at < source.length; at++) {
    const char = source[at] ?? ''
    const pair = char + (source[at + 1] ?? '')
    if (quote) {
      out += char
      if (char === '\\') {
        out += source[at + 1] ?? ''
        at++
      } else if (char === quote || (char === '\n' && quote !== '`')) quote = ''
    } else if (pair === '//') {
      const end = source.indexOf('\n', at)
      const stop = end === -1 ? source.length : end
      out += ' '.repeat(stop - at)
      at = stop - 1
    } else if (pair === '/*') {
      const end = source.indexOf('*/', at + 2)
      const stop = end === -1 ? source.length : end + 2
      out += source.slice(at, stop).replace(/[^\n]/g, ' ')
      at = stop - 1
    } else {
      if (char === "'" || char === '"' || char === '`') quote = char
      out += char
    }
  }
  return out
}

const STATIC = /^[ \t]*(import|export)\b([^'"`;=()]*?)\bfrom\s*['"]([^'"]+)['"]/gm
const BARE = /^[ \t]*import\s*['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

/** Every import of a TypeScript or JavaScript module, in no order. Pure, and needs no compiler. */
export function importsOf(source: string): ImportLine[] {
  const code = withoutComments(source)
  const found: ImportLine[] = []
  for (const [, , clause = '', specifier = ''] of code.matchAll(STATIC)) {
    found.push({ specifier, isTypeOnly: isTypeClause(clause), isDynamic: false })
  }
  for (const [, specifier = ''] of code.matchAll(BARE))
    found.push({ specifier, isTypeOnly: false, isDynamic: false })
  for (const [, specifier = ''] of code.matchAll(DYNAMIC))
    found.push({ specifier, isTypeOnly: false, isDynamic: true })
  return found
}

function isTypeClause(clause: string): boolean {
  const text = clause.trim()
  if (/^type\b(?!\s*,)/.test(text)) return true
  const braces = /^\{([\s\S]*)\}$/.exec(text)
  const names = (braces?.[1] ?? '').split(',').map((name) => name.trim())
  const given = names.filter((name) => name !== '')
  return braces !== null && given.length > 0 && given.every((name) => name.startsWith('type '))
}
