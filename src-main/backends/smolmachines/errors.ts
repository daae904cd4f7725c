import { type BottleError, bottleError, isBottleError } from '../../system/bottle-error.ts'

/** What smolvm's own words mean, as far as anything is decided by it. */
export type SmolFault =
  | 'not-found'
  | 'exists'
  | 'locked'
  | 'disk-full'
  | 'not-running'
  | 'must-stop'
  | 'never-started'
  | 'local-image'
  | 'clone'
  | 'artifact-missing'
  | 'needs-network'
  | 'saved-execution'
  | 'unsupported-profile'
  | 'not-ready'
  | 'grammar'

const FAULTS: readonly (readonly [RegExp, SmolFault])[] = [
  [/database is locked/i, 'locked'],
  [/no space left on device|ENOSPC|disk quota exceeded/i, 'disk-full'],
  [/already exists or is being created/i, 'exists'],
  [/created from a local image/i, 'local-image'],
  [/is a fork clone of/i, 'clone'],
  [/has no storage disk yet|overlay disk not found/i, 'never-started'],
  [/is running\. Stop it first/i, 'must-stop'],
  [/\.(smolmachine|smolcheckpoint|checkpoint): file not found/i, 'artifact-missing'],
  [/this machine has no network/i, 'needs-network'],
  [/has saved execution/i, 'saved-execution'],
  [
    /portable checkpoint profile does not support|no file-backed regions|requires file-backed guest RAM/i,
    'unsupported-profile',
  ],
  [/agent did not become ready/i, 'not-ready'],
  [/is not running/i, 'not-running'],
  [/vm not found:|VM '[^']*' not found|machine '[^']*' not found/i, 'not-found'],
  [/^error: (unexpected argument|unrecognized subcommand|the following required arguments)/m, 'grammar'],
]

/** Reads what smolvm wrote on stderr; null for words that nothing depends on. Pure. */
export function faultIn(text: string): SmolFault | null {
  return FAULTS.find(([pattern]) => pattern.test(text))?.[1] ?? null
}

/** What a failed call was about, from the error that `SmolClient.run` throws. Pure. */
export function faultOf(thrown: unknown): SmolFault | null {
  return isBottleError(thrown) && thrown.detail ? faultIn(thrown.detail) : null
}

/** The error for a call that smolvm refused. `what` completes "smolvm could not …". Pure. */
export function smolError(what: string, exitCode: number, stderr: string): BottleError {
  const detail = stderr.trim().slice(-2000)
  switch (faultIn(detail)) {
    case 'not-found':
      return bottleError('not-found', `smolvm could not ${what}: that machine is gone.`, { detail })
    case 'exists':
      return bottleError('exists', `smolvm could not ${what}: a machine of that name exists.`, { detail })
    case 'locked':
      return bottleError('busy', `smolvm could not ${what}: its records are in use. Try again.`, { detail })
    case 'disk-full':
      return bottleError('disk-full', `smolvm could not ${what}: the disk is full.`, { detail })
    case 'artifact-missing':
      return bottleError('snapshot-missing', `smolvm could not ${what}: the file is not there.`, { detail })
    case 'grammar':
      return bottleError(
        'engine-failed',
        `This smolvm does not understand how Icebox asked it to ${what}. Look at \`icebox doctor\`.`,
        { detail },
      )
    case 'saved-execution':
      return bottleError(
        'busy',
        `smolvm could not ${what}: the machine is paused. Resume it with smolvm first.`,
        { detail },
      )
    default:
      return bottleError('engine-failed', `smolvm could not ${what} (exit code ${exitCode}).`, { detail })
  }
}
