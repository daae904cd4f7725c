import { bottleError } from '../system/bottle-error.ts'
import type { Face } from './face.ts'
import { usageError } from './usage.ts'
import { oneLine } from './width.ts'

export interface Choice {
  readonly value: string
  readonly label: string
  readonly hint?: string
}

// Questions go to stderr: stdout belongs to the result.
const streams = (face: Face) => ({ input: process.stdin, output: process.stderr, signal: face.signal })

/**
 * Asks yes or no, with no as the default. `isYes` answers without asking.
 * @throws BottleError `usage` where nobody can be asked
 */
export async function confirm(face: Face, question: string, isYes: boolean): Promise<boolean> {
  if (isYes) return true
  if (!face.canAsk) throw usageError(`${question} There is no terminal to ask at: say --yes to go on.`)
  const prompts = await import('@clack/prompts')
  const answer = await prompts.confirm({ message: question, initialValue: false, ...streams(face) })
  return answer === true
}

/**
 * Lets a person pick one of the choices.
 * @throws BottleError `usage` where nobody can be asked, `not-found` without choices, `cancelled`
 */
export async function pick(face: Face, what: string, choices: readonly Choice[]): Promise<string> {
  if (!face.canAsk) throw usageError(`Which ${what}? Name one; only on a terminal can you pick.`)
  if (choices.length === 0) throw bottleError('not-found', `There is no ${what} to pick.`)
  const prompts = await import('@clack/prompts')
  const picked = await prompts.select({
    message: `Which ${what}?`,
    options: choices.map(({ value, label, hint }) => ({
      value,
      label: oneLine(label),
      ...(hint ? { hint: oneLine(hint) } : {}),
    })),
    maxItems: 12,
    ...streams(face),
  })
  if (typeof picked !== 'string') throw declined()
  return picked
}

/** What a declined question becomes: exit 0, `{"cancelled": true}`. */
export function declined(): Error {
  return bottleError('cancelled')
}

/** Asks for a line that is not shown. @throws BottleError `usage` where nobody can be asked, `cancelled` */
export async function askSecret(face: Face, message: string): Promise<string> {
  if (!face.canAsk) throw usageError('There is no terminal to ask at: pipe the value into stdin.')
  const prompts = await import('@clack/prompts')
  const value = await prompts.password({ message, ...streams(face) })
  if (typeof value !== 'string') throw declined()
  return value
}
