import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Access } from './access.ts'
import { NEEDS_LINK_PAGE, PLAIN_PAGE_HEADERS } from './plain-page.ts'
import { refuseForeign } from './request-guard.ts'
import { NO_STORE, SECURITY_HEADERS } from './security-headers.ts'
import { readStatic } from './static-files.ts'
import type { Refused } from './transfers/transfers.ts'

export interface HttpParts {
  readonly access: Access
  readonly rendererDir: string
  /** A new one-time address, asked for with the admin key. */
  readonly newLink: () => string
  /** Takes over an allowed WebSocket request. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Answers an allowed request for `/download/…` or `/upload/…`, or tells the refusal. */
  readonly transfer: (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ) => Promise<Refused | null>
  readonly warn: (error: unknown) => void
}

const LIMITS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  // An upload takes as long as it takes; all other bodies are bounded by BODY_MS.
  requestTimeout: 0,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 2000,
} as const
const BODY_MS = 15_000
const MAX_HEADERS = 100
const MAX_SOCKETS = 256

/** The server, not yet listening: static files behind the session cookie, the link exchange, and `/ws`. */
export function createHttpServer(parts: HttpParts): Server {
  const server = createServer({ ...LIMITS }, (request, response) => {
    answer(parts, request, response)
      .catch((error: unknown) => {
        parts.warn(error)
        return reply(500, 'Something unexpected happened in Icebox.')
      })
      .then((found) => found && send(response, found))
      .catch(() => response.destroy())
  })
  server.maxHeadersCount = MAX_HEADERS
  server.maxConnections = MAX_SOCKETS
  server.on('upgrade', (request, socket, head) => upgrade(parts, request, socket, head))
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else socket.destroy()
  })
  return server
}

interface Reply {
  readonly status: number
  readonly body: string | Buffer
  readonly headers: Readonly<Record<string, string>>
}

const reply = (
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Reply => ({
  status,
  body,
  headers,
})
const needsLink = (): Reply => reply(403, NEEDS_LINK_PAGE, PLAIN_PAGE_HEADERS)

async function answer(
  parts: HttpParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Reply | null> {
  const unbound = boundBody(request)
  const refused = refuseForeign(request, { needsOrigin: false })
  if (refused) return reply(refused.status, refused.reason)
  const url = request.url ?? ''
  // An absolute or network-path form would let the client choose what "this host" means.
  if (!url.startsWith('/') || url.startsWith('//')) return reply(400, 'The address is not understood.')
  const [path = '/', query = ''] = splitOnce(url, '?')
  if (/^\/(download|upload)\//.test(path)) return transfer(parts, request, response, path, unbound)
  if (path === '/new-link') return newLink(parts, request)
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return reply(405, 'Only GET and HEAD are answered here.', { Allow: 'GET, HEAD' })
  }
  const isKnown = parts.access.isKnown(request.headers.cookie)
  const token = path === '/' ? new URLSearchParams(query).get('token') : null
  if (token !== null) return enter(parts, request, token, isKnown)
  if (!isKnown) return needsLink()
  const file = await readStatic(parts.rendererDir, path)
  if (!file) return reply(404, 'There is no such page.')
  return reply(200, file.body, {
    'Content-Type': file.type,
    ...(file.isImmutable ? { 'Cache-Control': 'private, max-age=31536000, immutable' } : {}),
  })
}

/** Files come and go only for a session, from this page itself, and with a key that works once. */
async function transfer(
  parts: HttpParts,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  unbound: () => void,
): Promise<Reply | null> {
  const refused = refuseForeign(request, { needsOrigin: request.method !== 'GET' })
  if (refused) return reply(refused.status, refused.reason)
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return reply(403, 'The request comes from another page.')
  }
  if (!parts.access.isKnown(request.headers.cookie)) return needsLink()
  unbound()
  const found = await parts.transfer(request, response, path)
  return found && reply(found.status, found.reason, found.allow ? { Allow: found.allow } : {})
}

/** Nobody reads a body here, so one that trickles in must not hold its socket; the result lifts that. */
function boundBody(request: IncomingMessage): () => void {
  const timer = setTimeout(() => request.complete || request.socket.destroy(), BODY_MS).unref()
  const unbound = (): void => clearTimeout(timer)
  request.once('close', unbound)
  return unbound
}

/** Turns the token into a cookie and takes it out of the address. A link preview (HEAD) uses nothing up. */
function enter(parts: HttpParts, request: IncomingMessage, token: string, isKnown: boolean): Reply {
  const cookie = request.method === 'GET' ? parts.access.exchange(token) : null
  if (cookie) return reply(302, '', { Location: '/', 'Set-Cookie': cookie })
  return isKnown ? reply(302, '', { Location: '/' }) : needsLink()
}

function newLink(parts: HttpParts, request: IncomingMessage): Reply {
  if (request.method !== 'POST') return reply(405, 'Only POST is answered here.', { Allow: 'POST' })
  // Only this user's own programs know the key; a browser has no business here, whatever it knows.
  if (request.headers.origin !== undefined || !parts.access.isAdmin(request.headers.authorization)) {
    return reply(403, 'The request was refused.')
  }
  return reply(200, JSON.stringify({ url: parts.newLink() }), { 'Content-Type': 'application/json' })
}

function upgrade(parts: HttpParts, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => socket.destroy())
  const refused = refuseForeign(request, { needsOrigin: true })
  const isAllowed = !refused && request.url === '/ws' && parts.access.isKnown(request.headers.cookie)
  if (isAllowed) parts.upgrade(request, socket, head)
  else socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  const bytes = Buffer.from(body)
  // What was refused gets no second request through the same socket, and no unread body is taken in.
  if (status >= 400) response.shouldKeepAlive = false
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    ...SECURITY_HEADERS,
    ...NO_STORE,
    ...headers,
    'Content-Length': String(bytes.byteLength),
  })
  // Node leaves the body of a HEAD answer out by itself.
  response.end(bytes)
}

function splitOnce(text: string, mark: string): string[] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
