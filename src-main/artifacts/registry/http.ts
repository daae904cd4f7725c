import type { ClientRequest, Agent as HttpAgent, IncomingMessage } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import { Readable } from 'node:stream'
import { bottleError } from '../../system/bottle-error.ts'
import { http, https } from '../../system/builtin-http.ts'
import { transportFailure } from './failures.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  /** Opened anew for every try; `bytes` is its exact length. */
  readonly body?: {
    readonly bytes: number
    readonly open: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>
  }
}

export interface HttpResponse {
  readonly status: number
  /** Where the answer came from, after redirects. */
  readonly url: URL
  readonly header: (name: string) => string | null
  /** Must be read to its end or given up with `discard`. */
  readonly body: AsyncIterable<Uint8Array>
  readonly discard: () => void
}

/** Plain requests with idle timeouts and safe redirects; knows nothing of registries. */
export interface Http {
  /** @throws Transient for broken connections, BottleError `registry-failed` for what will not mend, `cancelled` */
  send(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse>
  /** Closes kept connections. */
  close(): void
}

export interface HttpOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds without a byte in either direction after which a connection counts as broken. */
  readonly idleMs: number
  /** True for hosts that may be spoken to without TLS. */
  readonly allowsPlain: (host: string) => boolean
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const MOST_REDIRECTS = 5

/** Opens one pool of connections. Proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`) are used. */
export function createHttp(options: HttpOptions): Http {
  // Agents are made on first use: most registries need only one of the two.
  let plain: HttpAgent | undefined
  let secure: HttpsAgent | undefined
  const agentOptions = { keepAlive: true, proxyEnv: options.env }
  let wasReached = false

  const exchange = async (request: HttpRequest, url: URL, headers: Headers, signal: AbortSignal) => {
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && options.allowsPlain(url.host))) {
      throw bottleError(
        'registry-failed',
        `${url.host} would be spoken to without TLS. Name it in ICEBOX_INSECURE_REGISTRIES to allow that.`,
      )
    }
    const isPlain = url.protocol === 'http:'
    if (isPlain) plain ??= new (http().Agent)(agentOptions)
    else secure ??= new (https().Agent)(agentOptions)
    try {
      const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
        const outgoing = (isPlain ? http() : https()).request(url, {
          method: request.method,
          headers,
          agent: isPlain ? plain : secure,
          timeout: options.idleMs,
          signal,
        })
        outgoing.on('timeout', () =>
          outgoing.destroy(Object.assign(new Error('idle'), { code: 'ETIMEDOUT' })),
        )
        outgoing.on('error', reject)
        outgoing.on('response', resolve)
        sendBody(outgoing, request.body)
      })
      wasReached = true
      return incoming
    } catch (error) {
      throw signal.aborted ? bottleError('cancelled') : transportFailure(error, url.host, wasReached)
    }
  }

  return {
    async send(request, signal) {
      let url = request.url
      let headers: Headers = { ...request.headers }
      for (let hops = 0; ; hops += 1) {
        if (signal.aborted) throw bottleError('cancelled')
        const incoming = await exchange(request, url, withLength(headers, request), signal)
        const target = redirectTarget(request, incoming, url)
        if (!target) return asResponse(incoming, url, signal)
        incoming.resume()
        if (hops >= MOST_REDIRECTS) {
          throw bottleError('registry-failed', `${request.url.host} redirects in a circle.`)
        }
        // What lies elsewhere has its own key in its address; ours is for the registry alone.
        if (target.origin !== url.origin) headers = withoutCredentials(headers)
        url = target
      }
    },
    close() {
      plain?.destroy()
      secure?.destroy()
    },
  }
}

type Headers = Readonly<Record<string, string>>

function sendBody(outgoing: ClientRequest, body: HttpRequest['body']): void {
  if (!body) {
    outgoing.end()
    return
  }
  const content = Readable.from(body.open())
  content.on('error', (error) => outgoing.destroy(error))
  outgoing.on('close', () => content.destroy())
  outgoing.on('response', (incoming) => {
    // An answer before the end of the content refuses it: sending the rest would be a waste.
    incoming.on('end', () => {
      if (!outgoing.writableFinished) outgoing.destroy()
    })
  })
  content.pipe(outgoing)
}

function withLength(headers: Headers, request: HttpRequest): Headers {
  const hasContent = request.method !== 'GET' && request.method !== 'HEAD'
  return {
    ...headers,
    'accept-encoding': 'identity',
    'user-agent': 'icebox',
    ...(hasContent ? { 'content-length': String(request.body?.bytes ?? 0) } : {}),
  }
}

function redirectTarget(request: HttpRequest, incoming: IncomingMessage, url: URL): URL | null {
  const { location } = incoming.headers
  const status = incoming.statusCode ?? 0
  if (!REDIRECTS.has(status) || location === undefined || !URL.canParse(location, url.href)) return null
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  return isRead || status === 307 || status === 308 ? new URL(location, url) : null
}

function withoutCredentials(headers: Headers): Headers {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'),
  )
}

function asResponse(incoming: IncomingMessage, url: URL, signal: AbortSignal): HttpResponse {
  // Unread answers that break must not end the process.
  incoming.on('error', () => undefined)
  return {
    status: incoming.statusCode ?? 0,
    url,
    header(name) {
      const value = incoming.headers[name]
      return value === undefined ? null : Array.isArray(value) ? value.join(', ') : value
    },
    body: readBody(incoming, url.host, signal),
    discard: () => {
      incoming.resume()
    },
  }
}

async function* readBody(
  incoming: IncomingMessage,
  host: string,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  try {
    for await (const chunk of incoming) yield chunk
  } catch (error) {
    throw signal.aborted ? bottleError('cancelled') : transportFailure(error, host, true)
  }
}
