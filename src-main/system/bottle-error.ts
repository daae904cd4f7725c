import {
  type ErrorCode,
  type Failure,
  type FailureExtras,
  failure,
} from '../../src-preload/contract/errors.ts'

const BRAND = Symbol.for('icebox.BottleError')

/**
 * The one error that Icebox throws: a Failure that travels as an exception inside a process and is turned
 * back into a value at every edge (IPC, CLI, API). `exitCode` is the agent's own for `agent-exited`, else 1.
 * Source: seed 000 (`BottleError(message, exit_code=1)`), with the slug as a field instead of text.
 */
export class BottleError extends Error {
  readonly code: ErrorCode
  readonly exitCode: number
  readonly slug: string | undefined
  readonly detail: string | undefined
  readonly retryable: boolean

  constructor(failed: Failure, options: { readonly cause?: unknown } = {}) {
    super(failed.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'BottleError'
    this.code = failed.code
    this.exitCode = failed.exitCode ?? 1
    this.slug = failed.slug
    this.detail = failed.detail
    this.retryable = failed.retryable
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** True for a BottleError of any copy of this module: a brand, since `instanceof` fails across bundles. */
export function isBottleError(value: unknown): value is BottleError {
  return typeof value === 'object' && value !== null && BRAND in value
}

/** Shorthand: builds the error for a code, in the user's words. */
export function bottleError(
  code: ErrorCode,
  message?: string,
  extras: FailureExtras & { readonly cause?: unknown } = {},
): BottleError {
  return new BottleError(
    failure(code, message, extras),
    extras.cause === undefined ? {} : { cause: extras.cause },
  )
}

const SYSTEM_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOSPC: ['disk-full', 'The disk is full.'],
  EDQUOT: ['disk-full', 'The disk quota is used up.'],
  EACCES: ['permission', 'Permission was denied.'],
  EPERM: ['permission', 'Permission was denied.'],
  EROFS: ['permission', 'The file system is read-only.'],
}

/** Turns anything thrown into a Failure; system errors get their own code, the rest is `internal`. */
export function toFailure(thrown: unknown, slug?: string): Failure {
  if (isBottleError(thrown)) {
    return failure(thrown.code, thrown.message, {
      detail: thrown.detail,
      slug: thrown.slug ?? slug,
      exitCode: thrown.code === 'agent-exited' ? thrown.exitCode : undefined,
    })
  }
  if (thrown instanceof Error) {
    if (thrown.name === 'AbortError') return failure('cancelled', undefined, { slug })
    if (thrown.name === 'TimeoutError') return failure('timeout', undefined, { slug })
    const system = thrown as NodeJS.ErrnoException
    const known = system.code ? SYSTEM_CODES[system.code] : undefined
    if (known) {
      const where = system.path ? ` (${system.path})` : ''
      return failure(known[0], `${known[1]}${where}`, { slug, detail: thrown.message })
    }
    return failure('internal', undefined, { slug, detail: thrown.message })
  }
  return failure('internal', undefined, { slug, detail: String(thrown) })
}

/** As `toFailure`, for code that goes on throwing. */
export function toBottleError(thrown: unknown, slug?: string): BottleError {
  if (isBottleError(thrown) && (thrown.slug || !slug)) return thrown
  return new BottleError(toFailure(thrown, slug), { cause: thrown })
}
