import { randomBytes } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { http } from '../../../system/builtin-http.ts'

/** One layer that the daemon wants to send. It sends nothing before `admit`. */
export interface SinkSession {
  readonly id: string
  /** Lets the daemon begin. Once only. */
  admit(): void
}

/** The body of an admitted session: compressed, and read no faster than somebody reads it. */
export interface SinkUpload {
  readonly sessionId: string
  readonly body: IncomingMessage
  /** Tells the daemon that it was received. */
  accept(): void
}

export interface SinkEvents {
  onSession(session: SinkSession): void
  onUpload(upload: SinkUpload): void
}

export interface PushSink {
  readonly port: number
  /** Cuts every connection. */
  close(): Promise<void>
}

const HEADERS = { 'Docker-Distribution-Api-Version': 'registry/2.0' }

/**
 * A registry on the loopback interface that takes one push and keeps nothing. It knows a single repository, whose name
 * can't be guessed; everything else is answered with 404, and so is every question for a blob that was not sent.
 */
export async function openPushSink(repository: string, events: SinkEvents): Promise<PushSink> {
  const base = `/v2/${repository}/`
  const received = new Set<string>()
  const server = http().createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sink')
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    if (pathname === '/v2/') return end(response, 200)
    if (!pathname.startsWith(base)) return refuse(request, response)
    const path = pathname.slice(base.length)
    const session = /^blobs\/uploads\/([0-9a-f]+)$/.exec(path)?.[1]
    const blob = /^blobs\/(sha256:[0-9a-f]{64})$/.exec(path)?.[1]
    if (request.method === 'HEAD' && blob && received.has(blob)) {
      response.writeHead(200, { 'Content-Length': 1, 'Docker-Content-Digest': blob }).end()
    } else if (request.method === 'POST' && path === 'blobs/uploads/') {
      // A mount from another repository is asked for in the same way, and answered as if it could not be done.
      request.resume()
      events.onSession(sessionOf(response, base))
    } else if (request.method === 'PATCH' && session) {
      events.onUpload(uploadOf(request, response, session, base))
    } else if (request.method === 'PUT' && session) {
      const digest = searchParams.get('digest') ?? ''
      const answer = () => {
        received.add(digest)
        response.writeHead(201, { Location: `${base}blobs/${digest}`, 'Docker-Content-Digest': digest }).end()
      }
      // Engines with containerd's image store send the content here.
      if (request.headers['content-length'] === '0') {
        request.resume()
        answer()
      } else events.onUpload({ sessionId: session, body: request, accept: answer })
    } else refuse(request, response)
  })
  // The daemon tries TLS first.
  server.on('clientError', (_error, socket) => socket.destroy())
  // The daemon may wait for its turn as long as it takes.
  server.requestTimeout = 0
  server.headersTimeout = 60_000
  const { port } = await listen(server)
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function sessionOf(response: ServerResponse, base: string): SinkSession {
  const id = randomBytes(12).toString('hex')
  return {
    id,
    admit: () => {
      const location = `${base}blobs/uploads/${id}`
      response
        .writeHead(202, {
          Location: location,
          Range: '0-0',
          'Docker-Upload-UUID': id,
          'Content-Length': 0,
        })
        .end()
    },
  }
}

function uploadOf(
  request: IncomingMessage,
  response: ServerResponse,
  session: string,
  base: string,
): SinkUpload {
  const accept = () => {
    const headers = { Location: `${base}blobs/uploads/${session}`, 'Docker-Upload-UUID': session }
    // The daemon reads the range and makes nothing of it.
    response.writeHead(202, { ...headers, Range: '0-0', 'Content-Length': 0 }).end()
  }
  return { sessionId: session, body: request, accept }
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  end(response, 404)
}

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Length': 0 }).end()
}

function listen(server: Server): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}
