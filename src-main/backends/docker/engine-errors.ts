import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { type BottleError, bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { Endpoint } from './endpoint.ts'
import { SSH_ENDED, SSH_MISSING, sshFailure } from './ssh-errors.ts'
import { tlsFailure } from './tls-errors.ts'

interface EngineThrown {
  readonly code?: string
  readonly name?: string
  readonly message?: string
  readonly statusCode?: number
}

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** HTTP status of an engine's refusal, if it was one. */
export function statusOf(thrown: unknown): number | undefined {
  const cause = isBottleError(thrown) ? thrown.cause : thrown
  return (cause as EngineThrown | undefined)?.statusCode
}

export const isMissing = (thrown: unknown) => statusOf(thrown) === 404

/** True when the engine never answered, so that nobody knows whether the call took effect. */
export const isUnanswered = (thrown: unknown) => statusOf(thrown) === undefined

/**
 * Turns whatever a call to the engine threw into the user's error.
 * @param what the operation in words, as in "start bot-bottle-web"
 */
export async function engineError(
  thrown: unknown,
  what: string,
  endpoint: Endpoint,
  signal: AbortSignal,
  env: NodeJS.ProcessEnv,
): Promise<BottleError> {
  if (isBottleError(thrown)) return thrown
  const found = thrown as EngineThrown
  if (signal.aborted)
    return isBottleError(signal.reason)
      ? signal.reason
      : bottleError('cancelled', undefined, { cause: thrown })
  if (found.name === 'TimeoutError' || found.name === 'AbortError' || found.code === 'ABORT_ERR') {
    return bottleError('timeout', `Docker did not answer in time (${what}).`, { cause: thrown })
  }
  const detail = cleanDetail(found.message)
  if (found.statusCode !== undefined) return refusal(found.statusCode, detail, what, thrown)
  if (found.code === 'EACCES' || found.code === 'EPERM') {
    return bottleError('permission', `You may not use Docker at ${endpoint.url}.`, { detail, cause: thrown })
  }
  if (found.code === SSH_MISSING) {
    const text = `The program \`ssh\` is not installed, and Docker at ${endpoint.url} is reached by it.`
    return bottleError('engine-missing', text, { detail, cause: thrown })
  }
  if (found.code && UNREACHABLE.has(found.code)) {
    if (found.code === 'ENOENT' && endpoint.kind === 'unix' && !(await hasDockerProgram(env))) {
      return bottleError('engine-missing', 'Docker is not installed.', { detail, cause: thrown })
    }
    return bottleError('engine-down', `Docker does not answer at ${endpoint.url}.`, { detail, cause: thrown })
  }
  if (endpoint.kind === 'ssh') {
    const told = found.code === SSH_ENDED ? sshFailure(detail, endpoint) : null
    if (told) return bottleError(told.code, told.message, { detail, cause: thrown })
    return bottleError('engine-down', `Docker could not be reached at ${endpoint.url}.`, {
      detail,
      cause: thrown,
    })
  }
  const insecure = endpoint.kind === 'tcp' && endpoint.tls ? tlsFailure(found, endpoint.url) : null
  return bottleError('engine-failed', insecure ?? `Docker could not ${what}.`, { detail, cause: thrown })
}

function refusal(status: number, detail: string, what: string, cause: unknown): BottleError {
  const extras = { detail, cause }
  if (/no space left on device|disk quota exceeded/i.test(detail)) {
    return bottleError('disk-full', `Docker's disk is full; it could not ${what}.`, extras)
  }
  if (status === 404) {
    if (/no such image|manifest unknown|not found: manifest|pull access denied/i.test(detail)) {
      return bottleError('image-missing', `The image is not there; Docker could not ${what}.`, extras)
    }
    return bottleError('not-found', `Docker could not ${what}: it is not there.`, extras)
  }
  if (status === 409) {
    if (/already in use|already exists/i.test(detail) && /name/i.test(detail)) {
      return bottleError('exists', `Docker could not ${what}: the name is taken.`, extras)
    }
    if (/is paused|already paused|not paused|in progress|is restarting|is not running/i.test(detail)) {
      return bottleError('busy', `Docker could not ${what} just now.`, extras)
    }
  }
  if (status === 401 || status === 403) {
    return bottleError('permission', `Docker does not allow to ${what}.`, extras)
  }
  return bottleError('engine-failed', `Docker could not ${what}.`, extras)
}

/** The engine's words without the HTTP frame that the client puts around them. */
function cleanDetail(message: string | undefined): string {
  return (message ?? '').replace(/^\(HTTP code \d+\) [^-]* - /, '').trim()
}

async function hasDockerProgram(env: NodeJS.ProcessEnv): Promise<boolean> {
  for (const dir of (env.PATH ?? '').split(delimiter)) {
    if (!dir) continue
    for (const name of ['docker', 'dockerd']) {
      const isThere = await access(join(dir, name), constants.X_OK).then(
        () => true,
        () => false,
      )
      if (isThere) return true
    }
  }
  return false
}
