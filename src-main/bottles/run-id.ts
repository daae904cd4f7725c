import { randomBase36 } from '../state/slug.ts'

/** A run's id: ten base36 characters, fit for names on every engine. */
export function newRunId(): string {
  return randomBase36(10)
}
