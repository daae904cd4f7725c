import { type BottleError, bottleError } from '../../system/bottle-error.ts'
import type { HttpResponse } from './http.ts'
import { Transient } from './retry.ts'

const PASSING: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTUNREACH',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
  'HPE_INVALID_EOF_STATE',
])
/** These pass by themselves only when the host has answered before: else the name is simply wrong. */
const PASSING_ONCE_REACHED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND'])

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNREFUSED: 'nothing answers there',
  ETIMEDOUT: 'it did not answer in time',
}

/** A broken or refused connection as a failure: passing ones are Transient. */
export function transportFailure(error: unknown, host: string, wasReached: boolean): Error {
  const code = (error as NodeJS.ErrnoException)?.code
  if (code === undefined) return error instanceof Error ? error : new Error(String(error))
  if (/CERT|^ERR_TLS|^ERR_SSL|^EPROTO$|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    return bottleError(
      'registry-failed',
      `${host} could not prove who it is (${code}). If it has a certificate of its own authority, name that file in NODE_EXTRA_CA_CERTS.`,
      { cause: error },
    )
  }
  const isPassing = PASSING.has(code) || (wasReached && PASSING_ONCE_REACHED.has(code))
  const why = WORDS[code] ?? (isPassing ? 'the connection broke' : code)
  const failed = bottleError('registry-failed', `The registry ${host} could not be reached: ${why}.`, {
    cause: error,
  })
  return isPassing ? new Transient(failed) : failed
}

export interface FailureContext {
  /** As the user knows the registry. */
  readonly host: string
  readonly path: string
  /** Why credentials could not be had, for the message when they turn out to be needed. */
  readonly credentialProblem: string | null
  /** Texts that must not appear in any message. */
  readonly secrets: readonly string[]
}

/** Reads what a registry says about a refusal and turns it into an error; overload and its like are Transient. */
export async function statusFailure(
  response: HttpResponse,
  what: string,
  context: FailureContext,
): Promise<BottleError | Transient> {
  const detail = await readDetail(response, context.secrets)
  const { status } = response
  const extras = { detail: `HTTP ${status}${detail ? `: ${detail}` : ''}` }
  if (status === 401 || status === 403) return permissionFailure(context, extras.detail)
  if (status === 404) return bottleError('not-found', `${context.host} has no ${what}.`, extras)
  const failed = bottleError('registry-failed', `The registry ${context.host} refused: ${what}.`, extras)
  const isPassing = status === 408 || status === 425 || status === 429 || status >= 500
  return isPassing && status !== 501 ? new Transient(failed, retryAfter(response)) : failed
}

/** What a user reads when a registry wants other credentials, or any. */
export function permissionFailure(context: FailureContext, detail?: string): BottleError {
  const login = context.host === 'docker.io' ? 'docker login' : `docker login ${context.host}`
  const problem = context.credentialProblem ? ` ${context.credentialProblem}` : ''
  return bottleError(
    'permission',
    `${context.host} does not let you use ${context.path}.${problem} Sign in with "${login}", or check the name.`,
    { detail },
  )
}

function retryAfter(response: HttpResponse): number | null {
  const seconds = Number(response.header('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null
}

async function readDetail(response: HttpResponse, secrets: readonly string[]): Promise<string> {
  let text = ''
  try {
    text = (await readBytes(response, 64 * 1024)).toString('utf8')
  } catch {
    return ''
  }
  return redact(describeErrors(text), secrets)
}

/** `CODE: message` of each error in a registry's JSON; nothing else of its answer is shown. */
function describeErrors(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: unknown }
    if (!Array.isArray(errors)) return ''
    return errors
      .slice(0, 3)
      .map((error: { code?: unknown; message?: unknown } | null) => {
        return [error?.code, error?.message].filter((part) => typeof part === 'string').join(': ')
      })
      .join('; ')
      .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
      .slice(0, 500)
  } catch {
    return ''
  }
}

/** A registry may repeat what it was sent. */
function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length > 0)
    .reduce((shown, secret) => shown.split(secret).join('…'), text)
}

/** A whole answer of at most `limit` bytes. @throws BottleError `registry-failed` when it is longer */
export async function readBytes(response: HttpResponse, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body) {
    length += chunk.length
    if (length > limit) {
      throw bottleError('registry-failed', `${response.url.host} answered with more than ${limit} bytes.`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
