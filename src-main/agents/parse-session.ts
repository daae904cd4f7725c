import { readBoolean, readChoice, readFields, readNumber, readText, readTexts } from './fields.ts'
import type { Field } from './frontmatter.ts'
import { type Lifecycle, SESSION_MODES, type SessionMode } from './lifecycle.ts'
import { quoted, type Report } from './problems.ts'

export interface ClaudeKeys {
  readonly session: Lifecycle['session']
  readonly args: readonly string[]
  readonly autoAccept: boolean | undefined
  /** True when a flag asks for no permission questions; the flag itself is not among `args`. */
  readonly skipsPermissions: boolean
}

const SKIP_FLAG = '--dangerously-skip-permissions'

/** The map `claude`, and `session` beside it, which wins. `mode` is what holds when neither names one. */
export function readClaude(
  field: Field | undefined,
  sessionField: Field | undefined,
  mode: SessionMode | null,
  report: Report,
): ClaudeKeys {
  const keys = ['channels', 'flags', 'session', 'continue_max_age_minutes', 'resume_id', 'auto_accept']
  const fields = field ? readFields(field.value, '`claude`', keys, report) : new Map<string, Field>()
  const inner = readChoice(fields.get('session'), SESSION_MODES, report)
  const outer = readChoice(sessionField, SESSION_MODES, report)
  const maxAge = readNumber(fields.get('continue_max_age_minutes'), { min: 0, max: 10_000_000 }, report)
  const flags = readFlags(fields.get('flags'), report)
  const channels = (readTexts(fields.get('channels'), report, true) ?? []).flatMap(({ text, line }) => {
    if (/^[^-\s]\S*$/.test(text)) return ['--channels', text]
    report(line, `${quoted(text)} is not a channel.`)
    return []
  })
  return {
    session: {
      mode: outer ?? inner ?? mode,
      maxAgeMinutes: maxAge ?? null,
      resumeId: readResumeId(fields.get('resume_id'), report),
    },
    args: [...channels, ...flags.filter((flag) => flag !== SKIP_FLAG)],
    autoAccept: readBoolean(fields.get('auto_accept'), report),
    skipsPermissions: flags.includes(SKIP_FLAG),
  }
}

function readResumeId(field: Field | undefined, report: Report): string | null {
  const id = readText(field, report)
  if (field === undefined || id === undefined || id === '') return null
  if (/^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/.test(id)) return id
  report(
    field.line,
    `${quoted(id)} is not a session id.`,
    'It may hold letters, digits, dots, colons and hyphens.',
  )
  return null
}

/**
 * Each item is one argument. Only an item such as `--flag value`, which other programs hand to a shell, is taken
 * apart; quotes hold words together in it, and nothing in it is ever run or expanded.
 */
function readFlags(field: Field | undefined, report: Report): readonly string[] {
  return (readTexts(field, report, true) ?? []).flatMap(({ text, line }) => {
    if (text === '') {
      report(line, 'A flag is empty.')
      return []
    }
    if (!/^-[^\s=]*\s/.test(text)) return [text]
    const words = splitWords(text)
    if (words) return words
    report(line, `A quote in ${quoted(text)} is not closed.`, 'Write flag and value as two items.')
    return []
  })
}

/** Words of a line with quotes and backslashes, without any expansion; null when a quote stays open. */
export function splitWords(text: string): readonly string[] | null {
  const words: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? ''
    if (quote !== null) {
      if (char === quote) quote = null
      else if (char === '\\' && quote === '"' && /["\\$`]/.test(text[at + 1] ?? '')) word += text[++at] ?? ''
      else word += char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (char === '\\' && at + 1 < text.length) {
      word = (word ?? '') + (text[++at] ?? '')
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word)
      word = null
    } else {
      word = (word ?? '') + char
    }
  }
  if (word !== null) words.push(word)
  return quote === null ? words : null
}
