import { type BottleError, bottleError } from '../system/bottle-error.ts'

/** A command line that can't be carried out as it stands; ends with 2. The sentence says what to write instead. */
export function usageError(message: string): BottleError {
  return bottleError('usage', message)
}

/** The value of a flag that must be a whole number within bounds. @throws BottleError `usage` */
export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw usageError(`${flag} takes a whole number from ${min} to ${max}, not ${JSON.stringify(text)}.`)
}

/** A text argument that may not be empty or hold a NUL, which no program can be given. @throws BottleError `usage` */
export function nonEmpty(name: string, text: string): string {
  if (text.trim() === '') throw usageError(`${name} is empty.`)
  if (text.includes('\0')) throw usageError(`${name} holds a NUL character, which no program can be given.`)
  return text
}
