import { distance } from 'fastest-levenshtein'
import { type BottleError, bottleError } from '../system/bottle-error.ts'

/** One error in one manifest, as `validate` lists it. */
export interface ManifestProblem {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  readonly message: string
  readonly hint: string | null
}

/** Notes a problem of the file being read and goes on, so that all of them are told at once. */
export type Report = (line: number, message: string, hint?: string | null) => void

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly ManifestProblem[] }

/** A report bound to one file, and what it gathered. */
export function collectProblems(file: string): { report: Report; problems: ManifestProblem[] } {
  const problems: ManifestProblem[] = []
  return {
    problems,
    report: (line, message, hint = null) => {
      problems.push({ file, line, message, hint })
    },
  }
}

/** A problem in one line of text: `file:line: message Hint`. */
export function describeProblem(problem: ManifestProblem): string {
  const hint = problem.hint ? ` ${problem.hint}` : ''
  return `${problem.file}:${problem.line}: ${problem.message}${hint}`
}

/** The error for a manifest that is needed and broken: the first problem in the sentence, all of them in the detail. */
export function manifestError(problems: readonly ManifestProblem[]): BottleError {
  const first = problems[0]
  if (!first) return bottleError('manifest-invalid')
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more; see \`icebox validate\`)` : ''
  return bottleError('manifest-invalid', `${describeProblem(first)}${more}`, {
    detail: problems.map(describeProblem).join('\n'),
  })
}

/** The value, or the error that lists all problems. */
export function unwrap<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value
  throw manifestError(parsed.problems)
}

/** The choice that was probably meant, or null when none is near. Never throws. */
export function nearest(word: string, choices: Iterable<string>): string | null {
  const wanted = word.slice(0, 100).toLowerCase()
  let best: string | null = null
  let bestDistance = Number.POSITIVE_INFINITY
  for (const choice of choices) {
    const steps = distance(wanted, choice.toLowerCase())
    if (steps < bestDistance) {
      best = choice
      bestDistance = steps
    }
  }
  // A guess that shares no letter would only confuse.
  const most = Math.min(Math.max(2, Math.floor(wanted.length / 3)), wanted.length - 1)
  return best !== null && bestDistance <= most ? best : null
}

/** `Did you mean “x”?`, or what there is to choose from, or null when there is nothing. */
export function didYouMean(word: string, choices: Iterable<string>): string | null {
  const all = [...choices]
  const near = nearest(word, all)
  if (near !== null) return `Did you mean “${near}”?`
  if (all.length === 0) return null
  const shown = all.slice(0, 20)
  return `Known: ${shown.join(', ')}${all.length > shown.length ? ', …' : ''}.`
}

/** Quotes a foreign word for a message: short, on one line. */
export function quoted(word: string): string {
  return JSON.stringify(word.length > 60 ? `${word.slice(0, 60)}…` : word)
}
