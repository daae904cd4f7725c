/** A failure as smolvm tells it: `Error: <text>` on stderr, exit 1 unless another is named. */
export class Failure extends Error {
  readonly exitCode: number

  constructor(text: string, exitCode = 1) {
    super(text)
    this.exitCode = exitCode
  }
}

export const configFailure = (operation: string, reason: string): Failure =>
  new Failure(`config operation failed: ${operation}: ${reason}`)

export const agentFailure = (operation: string, reason: string): Failure =>
  new Failure(`agent operation failed: ${operation}: ${reason}`)

export const notFound = (name: string): Failure => new Failure(`vm not found: ${name}`)

export const databaseLocked = (): Failure => new Failure('database error: database is locked')
