import { z } from 'zod'
import { bottleError } from '../../system/bottle-error.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import { type Credentials, findCredentials } from './credentials.ts'
import { type FailureContext, permissionFailure, readBytes, statusFailure } from './failures.ts'
import { createHttp, type HttpRequest, type HttpResponse } from './http.ts'
import { allowsPlainHttp, apiHost, type RegistryReference } from './reference.ts'
import { RETRIES, type RetryPolicy, withRetries } from './retry.ts'

export interface SessionOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly retries?: RetryPolicy
  readonly idleMs?: number
}

/** One repository of one registry, signed in as far as it asks for it. */
export interface Session {
  readonly reference: RegistryReference
  readonly retries: RetryPolicy
  /** An address below `/v2/<path>/`. */
  url(below: string): URL
  /** Where a `Location` header leads. */
  resolve(location: string, from: URL): URL
  /**
   * Sends one request with the credentials it needs, once. Answers of any status are returned but 401.
   * @throws Transient, BottleError `permission`, `registry-failed`, `cancelled`
   */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>
  /** The failure that a refusing answer means. `what` ends the sentences "has no …" and "refused: …". */
  refused(response: HttpResponse, what: string): Promise<Error>
  close(): void
}

const TokenAnswer = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
})

/**
 * Opens a repository for reading, or for writing too. Nothing is sent to an https registry before the first request.
 * @throws BottleError `registry-failed`, `cancelled`
 */
export async function openSession(
  reference: RegistryReference,
  access: 'pull' | 'push',
  options: SessionOptions,
  signal: AbortSignal,
): Promise<Session> {
  const { env } = options
  const host = apiHost(reference.host)
  const http = createHttp({
    env,
    idleMs: options.idleMs ?? 60_000,
    allowsPlain: (other) => allowsPlainHttp(other, env),
  })
  const retries = options.retries ?? RETRIES
  const base = new URL(`${await schemeOf(host)}://${host}/v2/${reference.path}/`)
  const found = await findCredentials(reference.host, reference.path, env, signal)
  const { credentials } = found
  let authorization = credentials?.kind === 'bearer' ? `Bearer ${credentials.token}` : null
  let signingIn: Promise<string> | null = null

  async function schemeOf(name: string): Promise<'http' | 'https'> {
    if (!allowsPlainHttp(name, env)) return 'https'
    const url = new URL(`http://${name}/v2/`)
    const ping = await withRetries(retries, signal, () => http.send({ method: 'GET', url }, signal))
    ping.discard()
    // How a server that wants TLS answers a plain request.
    return ping.status === 400 ? 'https' : 'http'
  }

  const context = (): FailureContext => ({
    host: reference.host,
    path: reference.path,
    credentialProblem: found.problem,
    secrets: [...secretsOf(credentials), ...(authorization ? [authorization.replace(/^\w+ /, '')] : [])],
  })

  async function signIn(challenge: Challenge): Promise<string> {
    if (challenge.scheme === 'basic') {
      if (credentials?.kind !== 'password') throw permissionFailure(context())
      return `Basic ${basicOf(credentials.username, credentials.password)}`
    }
    const scope = `repository:${reference.path}:${access === 'push' ? 'pull,push' : 'pull'}`
    const request = tokenRequest(challenge, scope, credentials)
    return withRetries(retries, signal, async () => {
      const response = await http.send(request, signal)
      if (response.status !== 200) throw await refusedToken(response)
      const answer = TokenAnswer.safeParse(parseJson(await readBytes(response, 1024 * 1024)))
      const token = answer.data?.token ?? answer.data?.access_token
      if (!token)
        throw bottleError('registry-failed', `The token service of ${reference.host} sent no token.`)
      return `Bearer ${token}`
    })
  }

  async function refusedToken(response: HttpResponse): Promise<Error> {
    const { status } = response
    if (status === 400 || status === 401 || status === 403 || status === 404) {
      response.discard()
      return permissionFailure(context(), `The token service answered HTTP ${status}.`)
    }
    return statusFailure(response, 'a token to sign in with', context())
  }

  async function send(request: HttpRequest, requestSignal: AbortSignal): Promise<HttpResponse> {
    for (let tries = 0; ; tries += 1) {
      const used = authorization
      // Uploads may lead to another host, which has no business with our credentials.
      const isOurs = request.url.origin === base.origin
      const headers = { ...request.headers, ...(used && isOurs ? { authorization: used } : {}) }
      const response = await http.send({ ...request, headers }, requestSignal)
      if (response.status !== 401) return response
      const challenge = parseChallenge(response.header('www-authenticate') ?? '')
      if (tries >= 1 || !isOurs || !challenge) throw await statusFailure(response, request.method, context())
      response.discard()
      // Several transfers meet an expired token at once: one signs in for all.
      if (authorization === used) {
        signingIn ??= signIn(challenge).finally(() => {
          signingIn = null
        })
        authorization = await signingIn
      }
    }
  }

  return {
    reference,
    retries,
    url: (below) => new URL(below, base),
    resolve(location, from) {
      if (!URL.canParse(location, from.href)) {
        throw bottleError('registry-failed', `${reference.host} names an upload address that is none.`)
      }
      const url = new URL(location, from)
      // Registries behind a proxy that ends TLS often name themselves without it.
      const isDowngrade =
        base.protocol === 'https:' && url.protocol === 'http:' && url.hostname === base.hostname
      return isDowngrade ? new URL(url.pathname + url.search, base) : url
    },
    send,
    refused: (response, what) => statusFailure(response, what, context()),
    close: () => http.close(),
  }
}

function tokenRequest(
  challenge: Extract<Challenge, { scheme: 'bearer' }>,
  scope: string,
  credentials: Credentials | null,
): HttpRequest {
  if (!URL.canParse(challenge.realm)) {
    throw bottleError('registry-failed', 'The registry names a token service without an address.')
  }
  const url = new URL(challenge.realm)
  if (credentials?.kind === 'identity') {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'icebox',
      refresh_token: credentials.token,
      scope,
      ...(challenge.service ? { service: challenge.service } : {}),
    })
    const body = Buffer.from(form.toString())
    return {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: { bytes: body.length, open: () => [body] },
    }
  }
  if (challenge.service) url.searchParams.set('service', challenge.service)
  url.searchParams.set('scope', scope)
  const headers =
    credentials?.kind === 'password'
      ? { authorization: `Basic ${basicOf(credentials.username, credentials.password)}` }
      : {}
  return { method: 'GET', url, headers }
}

function basicOf(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString('base64')
}

function secretsOf(credentials: Credentials | null): readonly string[] {
  if (!credentials) return []
  return credentials.kind === 'password' ? [credentials.password] : [credentials.token]
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return null
  }
}
