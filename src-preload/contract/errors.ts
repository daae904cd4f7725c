/**
 * Every way an operation can fail, and the sentence a user reads, written once.
 * Codes are a closed union: scripts and checks rely on them (docs: cli.md).
 */
export const ERROR_SENTENCES = {
  'invalid-slug': 'That is not a bottle name.',
  usage: 'That command line is not understood.',
  'not-found': 'There is no such thing.',
  exists: 'That name is taken.',
  busy: 'Another operation on this bottle is in progress.',
  cancelled: 'Cancelled; nothing was changed.',
  'unknown-backend': 'That backend is not known.',
  'engine-down': 'The engine does not answer.',
  'engine-missing': 'The engine is not installed.',
  'engine-remote': 'A remote engine cannot do that.',
  'engine-failed': 'The engine refused.',
  'image-missing': 'The image is not there.',
  'snapshot-missing': 'The snapshot is not there.',
  'manifest-invalid': 'The manifest has an error.',
  'secret-missing': 'A secret has no value.',
  'forge-sidecar-missing': 'The bottle has no sidecar named forge.',
  'policy-unenforceable': 'The network policy cannot be enforced here.',
  'corrupt-state': 'A state file is damaged.',
  'disk-full': 'The disk is full.',
  permission: 'Permission was denied.',
  'agent-exited': 'The agent failed.',
  'hook-failed': 'A required hook failed; nothing was changed.',
  timeout: 'It took too long.',
  'artifact-invalid': 'The artifact is damaged or unsafe.',
  'artifact-base-missing': 'The layers below this artifact are not here.',
  'secrets-found': 'Secrets were found; choose whether to strip or keep them.',
  'verify-failed': 'The snapshot did not pass its check.',
  'registry-failed': 'The registry refused or could not be reached.',
  denied: 'The request was refused.',
  unsupported: 'This is not supported here.',
  internal: 'Something unexpected happened in Icebox.',
} as const

export type ErrorCode = keyof typeof ERROR_SENTENCES

/** Codes after which the same call may succeed later without any change by the user. */
const RETRYABLE: ReadonlySet<ErrorCode> = new Set(['busy', 'engine-down', 'timeout'])

/** An error as a value: what crosses every process boundary and what `--json` prints. */
export interface Failure {
  readonly code: ErrorCode
  /** One or two plain sentences for the user, the thing named, and what to do next. */
  readonly message: string
  /** The engine's or system's own words, already free of secrets. */
  readonly detail?: string
  readonly retryable: boolean
  readonly slug?: string
  /** Only with `agent-exited`. */
  readonly exitCode?: number
}

export interface FailureExtras {
  readonly detail?: string | undefined
  readonly slug?: string | undefined
  readonly exitCode?: number | undefined
}

/** Builds a failure; without a message of its own it speaks the code's sentence. */
export function failure(code: ErrorCode, message?: string, extras: FailureExtras = {}): Failure {
  return {
    code,
    message: message ?? ERROR_SENTENCES[code],
    retryable: RETRYABLE.has(code),
    ...(extras.detail ? { detail: extras.detail } : {}),
    ...(extras.slug ? { slug: extras.slug } : {}),
    ...(extras.exitCode !== undefined ? { exitCode: extras.exitCode } : {}),
  }
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Failure }

/** Marks a branch that the types say is impossible. */
export function assertNever(value: never, what = 'value'): never {
  throw new Error(`unexpected ${what}: ${JSON.stringify(value)}`)
}
