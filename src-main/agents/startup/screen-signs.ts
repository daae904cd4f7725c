import type { ProviderName } from '../definitions.ts'

/** How many of the screen's last lines count as what the program says now. */
export const TAIL_LINES = 40

/** What programs write below a question that waits for a key. */
const CONFIRM =
  /Enter to confirm|Press Enter to continue|[([](?:y\/n|yes\/no)[)\]]\s*:?\s*$|Enter to select|enter to submit answer/i
/** A list of numbered choices with a mark on one. */
const CHOICE = /^[\s│┃|]*[❯›>]\s*\d+\.\s+\S/
const INPUT = /^[\s│┃|]*[❯›>](?!\s*\d+\.\s)\s?(.*?)[\s│┃|]*$/

/** The last lines of a screen that say anything, at most `TAIL_LINES`. Pure. */
export function tailOf(lines: readonly string[]): readonly string[] {
  const last = lines.findLastIndex((line) => line.trim() !== '')
  return lines.slice(Math.max(0, last + 1 - TAIL_LINES), last + 1)
}

/**
 * The question that stands on the screen and waits for a person, in one line; null when there is none. Only what is
 * below the input line's place counts, so that what an agent writes is not taken for a question. Pure.
 */
export function questionOf(lines: readonly string[]): string | null {
  const tail = tailOf(lines)
  const input = tail.findLastIndex((line) => INPUT.test(line))
  const choice = tail.findLastIndex((line) => CHOICE.test(line))
  if (choice > input) return wordsBefore(tail, choice)
  const confirm = tail.findLastIndex((line) => CONFIRM.test(line))
  return confirm > input && confirm >= tail.length - 4 ? wordsBefore(tail, tail.length) : null
}

/** The sentence that asks: the last line with a question mark above the choices, else the first line that says anything. */
function wordsBefore(tail: readonly string[], end: number): string {
  const above = tail
    .slice(0, Math.max(end, 1))
    .map((line) => line.replace(/^[\s│┃|╭╰─]+|[\s│┃|─╮╯]+$/g, ''))
    .filter((line) => line !== '')
  const asking = above.findLast((line) => /[?:]\s*([([].*[)\]])?\s*$/.test(line))
  return (asking ?? above[0] ?? 'A question').slice(0, 200)
}

/** What stands in the program's input line; null when no input line is to be seen. Pure. */
export function inputOf(lines: readonly string[]): string | null {
  const line = tailOf(lines).findLast((one) => INPUT.test(one))
  return line === undefined ? null : (INPUT.exec(line)?.[1] ?? '').trim()
}

/** True while a text that was typed waits in the input line for its Enter. Pure. */
export function isUnsent(lines: readonly string[], text: string): boolean {
  const first = (text.split('\n')[0] ?? '').trim().slice(0, 20)
  const input = inputOf(lines)
  return first !== '' && input !== null && (input.startsWith(first) || /^\[Pasted text/.test(input))
}

/** True for programs whose input line has a mark, so that its absence means that they are not there yet. Pure. */
export const hasInputMark = (provider: ProviderName): boolean => provider === 'claude' || provider === 'codex'

/** True when a text stands on the screen, in the input line or above it. Pure. */
export function isOnScreen(lines: readonly string[], text: string): boolean {
  const first = (text.split('\n')[0] ?? '').trim().slice(0, 40)
  return first !== '' && lines.some((line) => line.includes(first))
}
