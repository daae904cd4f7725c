import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'

type Handler = (request: Request) => Response | Promise<Response>

/**
 * An own scheme as Chromium can load it: `scheme://host/path` is `http://host.scheme.localhost:port/path`, which is a
 * secure origin of its own, answered by this process over loopback.
 */
export interface SchemeServer {
  handle(scheme: string, handler: Handler): void
  unhandle(scheme: string): void
  isHandled(scheme: string): boolean
  /** The address that Chromium loads for an address of the app. */
  toChromium(url: string): string
  /** The address of the app that Chromium's stands for. */
  fromChromium(url: string): string
  /** Where requests of this scheme arrive; the server runs from then on. */
  listen(): Promise<void>
  close(): void
}

export function createSchemeServer(schemes: ReadonlySet<string>): SchemeServer {
  const handlers = new Map<string, Handler>()
  let port = 0
  let listening: Promise<void> | undefined
  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error(`protocol handler failed for ${request.url}:`, error)
      response.destroy()
    })
  })
  server.unref()

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = fromChromium(`http://${request.headers.host}${request.url}`)
    const scheme = address.slice(0, address.indexOf(':'))
    const handler = handlers.get(scheme)
    // As Electron: an address that nobody answers is a failed load, not a page.
    if (!handler) return void response.destroy()
    const made = await handler(toRequest(request, address))
    if (!(made instanceof Response) || made.type === 'error') return void response.destroy()
    for (const [name, value] of made.headers) response.appendHeader(name, value)
    // Electron's own schemes go past the HTTP cache.
    response.setHeader('cache-control', 'no-store')
    response.writeHead(made.status)
    if (!made.body) return void response.end()
    await pipeline(Readable.fromWeb(made.body as ReadableStream), response)
  }

  const fromChromium = (url: string): string => {
    if (!URL.canParse(url)) return url
    const { hostname, port: own, protocol } = new URL(url)
    const [, host, scheme] = /^(.+)\.([a-z][a-z0-9+-]*)\.localhost$/.exec(hostname) ?? []
    if (protocol !== 'http:' || Number(own) !== port || !scheme || !host) return url
    return schemes.has(scheme) ? `${scheme}://${host}${url.slice(url.indexOf(own) + own.length)}` : url
  }

  return {
    fromChromium,
    handle(scheme, handler) {
      if (handlers.has(scheme)) throw new Error(`Failed to register protocol: ${scheme}`)
      if (!schemes.has(scheme)) {
        throw new Error(`the stand-in handles only schemes registered as privileged, not ${scheme}`)
      }
      handlers.set(scheme, handler)
    },
    unhandle(scheme) {
      if (!handlers.delete(scheme)) throw new Error(`Failed to unhandle protocol: ${scheme}`)
    },
    isHandled: (scheme) => handlers.has(scheme),
    toChromium(url) {
      const [, scheme, host, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]+)(.*)$/i.exec(url) ?? []
      if (!scheme || !host || !schemes.has(scheme.toLowerCase())) return url
      return `http://${host}.${scheme.toLowerCase()}.localhost:${port}${rest}`
    },
    listen() {
      listening ??= new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', () => {
          port = (server.address() as AddressInfo).port
          resolve()
        })
      })
      return listening
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

function toRequest(request: IncomingMessage, address: string): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headersDistinct)) {
    for (const one of value ?? []) if (!['host', 'connection'].includes(name)) headers.append(name, one)
  }
  const method = request.method ?? 'GET'
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const made = new Request('http://placeholder.invalid/', {
    method,
    headers,
    ...(hasBody ? { body: Readable.toWeb(request) as unknown as BodyInit, duplex: 'half' } : {}),
  } as RequestInit)
  // A plain Request normalises addresses by rules for http; the handler sees the scheme's own.
  Object.defineProperty(made, 'url', { value: address })
  return made
}
