import { readScreen, type ScreenSigns } from './screen-signs.ts'

/** Stands for words of the screen that are known only with a secret in them. */
const HIDDEN = 'What it says holds a secret.'

/**
 * What a screen tells, with its words taken from the rows without secrets: of a secret that goes on in the next row, or
 * behind the end of what is quoted, no part may stay. Pure.
 */
export function shownSigns(lines: readonly string[], redacted: readonly string[]): ScreenSigns {
  const signs = readScreen(lines)
  // Which state it is in is told by the screen as it is, however much of it is hidden.
  if (redacted === lines) return signs
  const shown = readScreen(redacted)
  const words = (found: string | null, hidden: string | null) => (found === null ? null : (hidden ?? HIDDEN))
  return {
    ...signs,
    question: words(signs.question, shown.question),
    limit: words(signs.limit, shown.limit),
    signIn: words(signs.signIn, shown.signIn),
    unsent: words(signs.unsent, shown.unsent),
  }
}
