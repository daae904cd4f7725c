export type ErrorCode =
  | 'unknown'
  | 'invalidArgument'
  | 'internalError'
  | 'exists'
  | 'notFound'
  | 'cancelled'
  | 'invalidState'
  | 'empty'
  | 'timeout'
  | 'unsupported'
  | 'interrupted'

/** An error of the engine: exit code 1. */
export class ContainerError extends Error {
  readonly code: ErrorCode
  readonly inner: ContainerError | null
  constructor(code: ErrorCode, message: string, inner: ContainerError | null = null) {
    super(message)
    this.code = code
    this.inner = inner
  }
}

/** Several of them, from a verb that takes many ids. */
export class AggregateContainerError extends Error {
  readonly errors: readonly ContainerError[]
  constructor(errors: readonly ContainerError[]) {
    super('aggregate')
    this.errors = errors
  }
}

/** What the argument parser refuses: exit code 64. */
export class UsageError extends Error {
  readonly verb: string
  constructor(message: string, verb = '') {
    super(message)
    this.verb = verb
  }
}

/** Ends the program with this code; all has been said. */
export class ExitWith extends Error {
  readonly exitCode: number
  constructor(exitCode: number) {
    super(`exit ${exitCode}`)
    this.exitCode = exitCode
  }
}

/** The service doesn't answer. */
export const connectionError = (): ContainerError =>
  new ContainerError('interrupted', 'XPC connection error: Connection invalid')

const HINT = '\nEnsure container system service has been started with `container system start`.'

/** As an error is written inside another one. Quotes are not escaped. */
export function describe(error: ContainerError): string {
  const cause = error.inner ? ` (cause: "${describe(error.inner)}")` : ''
  return `${error.code}: "${error.message}"${cause}`
}

function isConnectionError(error: ContainerError): boolean {
  return (
    error.message.includes('XPC connection error') || (error.inner !== null && isConnectionError(error.inner))
  )
}

/** What the program says on stderr, without the last newline. */
export function tellError(error: ContainerError | AggregateContainerError): string {
  if (error instanceof AggregateContainerError) {
    const hint = error.errors.some(isConnectionError) ? HINT : ''
    return `Error: ${error.errors.map(describe).join('\n')}${hint}`
  }
  if (isConnectionError(error)) return `Error: ${describe(error)}${HINT}`
  const cause = error.inner ? ` (cause: "${describe(error.inner)}")` : ''
  return `Error: ${error.message}${cause}`
}
