import { INNER_CASES } from './inner-cases.ts'
import { OUTER_CASES } from './outer-cases.ts'

/** An archive that must be refused, and what the refusal has to say. */
export interface HostileCase {
  readonly name: string
  readonly build: () => Buffer
  readonly reason: RegExp
  /** Default: `artifact-invalid`. */
  readonly code?: string
}

/** Every hostile or broken archive that an import has to refuse. */
export const HOSTILE_CASES: readonly HostileCase[] = [...OUTER_CASES, ...INNER_CASES]
