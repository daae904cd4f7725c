import { troubleOf } from '../context/trouble.ts'
import { type Choice, findChoice, isRule, plainLine } from './screen-choice.ts'

/** What a terminal shows of its program's state; each from its own place on the screen, never from chat text. */
export interface ScreenSigns {
  readonly isWorking: boolean
  /** What the program asks: the words above a choice, or a y/n question. */
  readonly question: string | null
  readonly questionKind: 'choice' | 'y/n' | null
  readonly limit: string | null
  readonly signIn: string | null
  /** The input line is there. */
  readonly hasInput: boolean
  /** Text in the input line that was not sent; null for none and for a hint of the program's own. */
  readonly unsent: string | null
  /** Null when the screen is of no program that is known. */
  readonly subagents: number | null
}

interface Row {
  readonly text: string
  /** As far in as the later lines of an answer begin. */
  readonly isIndented: boolean
  readonly isBoxed: boolean
}

/** Rows from the end in which a sign of the present may stand. */
const NEAR = 24
const FOOTER = 7
/** Rows that may follow a refusal, as hints or a choice, before it is the past. */
const REFUSAL = 12
/** The same where no glyph tells a message from what a program logs. */
const LOG = 3

const MESSAGE = /^[●⏺•⎿✻✽■◆]\s?\S/
const ECHO = /^[>❯›]\s+\S/
const INPUT = /^[>❯›](?:\s+(.*))?$/
const OPTION = /^[>❯›▶➜]\s*\d{1,2}[.)]\s/
const HINTS = /^(?:Try ["“]|Ask Codex\b|Type (?:your|a) |Send a message|Message |Press up to edit)/i
/** Glyphs that stand before a message or an error. */
const MARK = /^(?:[●⏺•⎿■✗✘×⚠◆!└]\s*)+/

/** A glyph that is also a bullet needs the seconds behind it; the others are of spinners only. */
const SPINNER =
  /^[·✢✳∗✶✻✽*]\s+\S[^()]{0,60}(?:…|\.\.\.)\s+\((?:\d|esc\b|ctrl\b).*|^(?:[✢✳✶✻✽]\s+\S[^()]{0,60}…|[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]\s+\S[^()]{0,60}(?:…|\.\.\.))(?:\s+\(.*)?$/
const INTERRUPT = /\((?:(?:\d+[hms]\s?)+[^()]*|[^()]{0,40}[·•]\s*)?esc to interrupt[^()]*\)$/
const INTERRUPT_PART = /(?:^|[·•]\s*)esc to interrupt(?:$|\s*[·•])/

/** Pi shows its window in one of the last rows: `12.3%/200k`. */
const PI_FOOTER = /(?:^|\s)(?:\d+(?:\.\d+)?|\?)%\/\d+(?:\.\d+)?[kM](?:\s|$)/

const SIGN_IN_OPTION = /^(?:sign in with chatgpt|claude account with subscription|anthropic console account)/i

/** Reads a screen. Pure. */
export function readScreen(lines: readonly string[]): ScreenSigns {
  const rows = lines
    .map(
      (line): Row => ({
        text: plainLine(line),
        isIndented: /^\s{2}/.test(line),
        isBoxed: /^\s*[│┃]/.test(line),
      }),
    )
    .filter(({ text }) => text !== '')
  const texts = rows.map(({ text }) => text)
  const near = texts.slice(-NEAR)
  const input = findInput(rows)
  const choice = findChoice(texts, input?.row ?? null)
  const yesNo = choice === null && input === null ? yesNoOf(near) : null
  const isWorking = choice === null && near.some(isWorkingLine)
  const trouble = isWorking ? null : troubleIn(rows, choice, input?.row ?? null)
  const isPi = texts.slice(-2).some((line) => PI_FOOTER.test(line))
  const hasInput = input !== null || (isPi && choice === null && yesNo === null)
  const unsent = input?.text ?? ''
  return {
    isWorking,
    question: choice?.question ?? yesNo,
    questionKind: choice ? 'choice' : yesNo === null ? null : 'y/n',
    limit: trouble?.kind === 'limit' ? trouble.text : null,
    signIn: trouble?.kind === 'sign-in' ? trouble.text : null,
    hasInput,
    unsent: unsent === '' || HINTS.test(unsent) ? null : unsent.slice(0, 300),
    subagents: subagentsIn(near) ?? (hasInput || isWorking ? 0 : null),
  }
}

function isWorkingLine(line: string): boolean {
  if (/^[●⏺⎿]/.test(line)) return false
  return SPINNER.test(line) || INTERRUPT.test(line) || INTERRUPT_PART.test(line)
}

/** The input line has nothing below it but rules and the program's footer. */
function findInput(rows: readonly Row[]): { readonly row: number; readonly text: string } | null {
  for (let row = rows.length - 1; row >= 0 && row >= rows.length - FOOTER; row--) {
    const { text: line, isBoxed } = rows[row] ?? NO_ROW
    if (OPTION.test(line)) return null
    const found = INPUT.exec(line)
    // Many programs print a plain `>` before what they do.
    const isFramed = isBoxed || isRule((rows[row - 1] ?? NO_ROW).text)
    if (found && (!line.startsWith('>') || isFramed)) return { row, text: (found[1] ?? '').trim() }
    if (MESSAGE.test(line)) return null
  }
  return null
}

const NO_ROW: Row = { text: '', isIndented: false, isBoxed: false }

function yesNoOf(near: readonly string[]): string | null {
  const last = near.findLast((line) => !isRule(line)) ?? ''
  const isAsked = /[([]\s*(?:y|yes)\s*\/\s*(?:n|no)\s*[)\]]\s*[:?>]?(?:\s*\S{1,3})?$/i.test(last)
  return isAsked ? last.slice(0, 300) : null
}

interface Trouble {
  readonly kind: 'limit' | 'sign-in'
  readonly text: string
}

/** The refusal that stands last: whatever came after it makes it the past. */
function troubleIn(rows: readonly Row[], choice: Choice | null, inputRow: number | null): Trouble | null {
  const option = choice?.options.find((text) => SIGN_IN_OPTION.test(text))
  if (option !== undefined) return { kind: 'sign-in', text: `It asks how to sign in: ${option}` }
  const below = rows.slice((inputRow ?? rows.length) + 1).flatMap(({ text }) => text.split(/\s{2,}/))
  for (const part of below) {
    if (troubleOf(part) === 'sign-in') return { kind: 'sign-in', text: part.slice(0, 300) }
  }
  const from = (inputRow ?? rows.length) - 1
  for (let row = from; row >= 0 && row > from - REFUSAL; row--) {
    const { text: line, isIndented } = rows[row] ?? NO_ROW
    const text = line.replace(MARK, '')
    // The later lines of an answer are talk, however they begin; what a log said some lines ago is over.
    const isTalk = text === line && choice === null && (isIndented || from - row > LOG)
    const kind = isTalk ? null : troubleOf(text)
    if (kind !== null) return { kind, text: text.slice(0, 300) }
    if (MESSAGE.test(line) || (ECHO.test(line) && choice === null)) return null
  }
  return null
}

/** `2 local agents running` as a part of its own of a status row. */
function subagentsIn(near: readonly string[]): number | null {
  for (const line of near.toReversed()) {
    if (/^[●⏺⎿]/.test(line)) continue
    for (const part of line.split(/[·•]/)) {
      const found = /^(?:[⏵►▶+]+\s*)?(\d{1,3}) local agents?(?: running)?$/.exec(part.trim())
      if (found) return Number(found[1])
    }
  }
  return null
}
