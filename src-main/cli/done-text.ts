import type { Done } from '../../src-preload/contract/calls.ts'
import { type BottleError, bottleError } from '../system/bottle-error.ts'
import type { Paint } from './style.ts'
import { oneLine } from './width.ts'

/** What was done, what is left and what can't come back, a line each; says so when there was nothing to do. */
export function doneText(done: Done, paint: Paint): string {
  const lines = [
    ...done.done.map((text) => oneLine(text)),
    ...done.left.map((text) => `${paint('yellow', 'left')} ${oneLine(text)}`),
    ...done.unrecoverable.map((text) => `${paint('red', 'gone for good')} ${oneLine(text)}`),
  ]
  return lines.length === 0 ? 'There was nothing to do.' : lines.join('\n')
}

/** The error of an operation that could not take everything away; null when nothing is left. */
export function leftError(done: Done, slug?: string): BottleError | null {
  if (done.left.length === 0) return null
  const names = done.left.slice(0, 5).map(oneLine).join(', ')
  const more = done.left.length > 5 ? ` and ${done.left.length - 5} more` : ''
  return bottleError(
    'engine-failed',
    `This is left: ${names}${more}. The records are kept; run the command again.`,
    {
      slug,
    },
  )
}
