/** A list to choose from with the words above it. */
export interface Choice {
  readonly question: string
  readonly options: readonly string[]
}

/** Rows from the end that a choice may reach up to. */
const REACH = 24
const OPTION = /^([>❯›▶➜]\s*)?(\d{1,2})[.)]\s+(\S.*)$/
const HINT =
  /(?:^|[·•,(]\s*)(?:press )?(?:enter to (?:confirm|select|continue|submit)|↑\/?↓ to (?:navigate|select|move))\b/i

/** A row without its box and its right end. */
export function plainLine(line: string): string {
  const text = line.replace(/^\s*[│┃]/, '').replace(/[│┃]\s*$/, '')
  return text.trim()
}

/** True for a row that only draws. */
export function isRule(line: string): boolean {
  return /^[─━═╌┄╭╮╰╯┌┐└┘├┤▔▁\-_\s]+$/.test(line)
}

/**
 * The choice that the program waits on: numbered options of which one has the cursor, or a row that says how to choose,
 * with no input line below. Pure.
 */
export function findChoice(rows: readonly string[], inputRow: number | null): Choice | null {
  const from = Math.max(0, rows.length - REACH)
  const found = rows.slice(from).flatMap((line, index) => {
    const match = OPTION.exec(line)
    return match
      ? [
          {
            row: from + index,
            hasCursor: match[1] !== undefined,
            number: Number(match[2]),
            text: match[3] ?? '',
          },
        ]
      : []
  })
  const first = found.findLastIndex(({ number }) => number === 1)
  const options = first < 0 ? [] : found.slice(first)
  const top = options[0]
  const isList =
    top !== undefined &&
    options.length > 1 &&
    options.every(({ number }, index) => number === index + 1) &&
    options.filter(({ hasCursor }) => hasCursor).length === 1
  if (isList && (inputRow === null || inputRow < top.row)) {
    return { question: questionAbove(rows, top.row), options: options.map(({ text }) => text) }
  }
  const hint = rows.findLastIndex((line) => HINT.test(line))
  if (hint < 0 || hint < rows.length - 5 || inputRow !== null) return null
  const cursor = rows.findLastIndex((line, row) => row < hint && /^[>❯›▶➜]\s*\S/.test(line))
  if (cursor >= 0) return { question: questionAbove(rows, cursor), options: [] }
  return { question: questionAbove(rows, hint + 1), options: [] }
}

/** The nearest row above that asks, else the nearest one with words. */
function questionAbove(rows: readonly string[], row: number): string {
  const above = rows.slice(Math.max(0, row - 12), row).filter((line) => !isRule(line))
  const asked = above.findLast((line) => /\?$/.test(line))
  return (asked ?? above.at(-1) ?? 'It waits for a choice.').slice(0, 300)
}
