import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  readonly range: string | undefined
  /** Bytes of content that arrived. */
  bytes: number
}

export interface FakeRegistryOptions {
  /** Called first; true when it has answered. */
  readonly before?: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>
  /** After how many bytes of an upload's content the connection is cut, one number per cut. */
  readonly cutUploads?: number[]
  readonly cutDownloads?: number[]
  /** Forgets an upload whose connection broke, as Docker's registry 2.8 does. */
  readonly isForgetful?: boolean
  /** Refuses content in several pieces. */
  readonly takesNoChunks?: boolean
  readonly listsReferrers?: boolean
}

export interface FakeRegistry {
  readonly host: string
  readonly blobs: Map<string, Buffer>
  readonly manifests: Map<string, { readonly bytes: Buffer; readonly type: string }>
  readonly seen: SeenRequest[]
}

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** A registry in memory that follows the distribution specification to the letter, and breaks off when told to. */
export async function fakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const uploads = new Map<string, Buffer>()
  const registry = { blobs: new Map(), manifests: new Map(), seen: [] } as Omit<FakeRegistry, 'host'>
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://registry')
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      authorization: request.headers.authorization,
      range: request.headers['content-range'] ?? request.headers.range,
      bytes: 0,
    }
    registry.seen.push(seen)
    if (await options.before?.(request, response)) return
    const status = (code: number, headers: Record<string, string> = {}, body: Buffer | string = '') => {
      response.writeHead(code, { 'content-length': String(Buffer.byteLength(body)), ...headers })
      response.end(request.method === 'HEAD' ? undefined : body)
    }
    const [, kind = '', name = ''] =
      /\/(blobs|manifests|referrers|uploads)\/([^/]*)$/.exec(url.pathname) ?? []
    if (kind === 'uploads') return upload(request, status, seen, name, url)
    if (kind === 'blobs') return blob(request, response, status, name)
    if (kind === 'manifests') return manifest(request, status, name)
    if (kind === 'referrers' && options.listsReferrers) return referrers(status, name)
    return status(url.pathname === '/v2/' ? 200 : 404)
  }

  type Status = (code: number, headers?: Record<string, string>, body?: Buffer | string) => void

  async function upload(request: IncomingMessage, status: Status, seen: SeenRequest, id: string, url: URL) {
    if (request.method === 'POST') {
      const made = randomBytes(8).toString('hex')
      uploads.set(made, Buffer.alloc(0))
      return status(202, { location: `/v2/some/uploads/${made}?state=a`, range: '0-0' })
    }
    const known = uploads.get(id)
    if (known === undefined) return status(404, {}, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}')
    const place = (bytes: number) => ({
      location: `/v2/some/uploads/${id}?state=b`,
      range: `0-${Math.max(0, bytes - 1)}`,
    })
    if (request.method === 'GET') return status(204, place(known.length))
    if (request.method === 'PATCH') {
      const start = Number(/^(\d+)-/.exec(seen.range ?? '')?.[1] ?? 0)
      if (options.takesNoChunks && seen.range !== undefined) return status(400)
      if (start !== known.length) return status(416, place(known.length))
      const cut = options.cutUploads?.shift()
      const chunks: Buffer[] = [known]
      for await (const chunk of request as AsyncIterable<Buffer>) {
        seen.bytes += chunk.length
        chunks.push(chunk)
        if (cut !== undefined && seen.bytes >= cut) {
          if (options.isForgetful) uploads.delete(id)
          else uploads.set(id, Buffer.concat(chunks))
          request.destroy()
          return
        }
      }
      uploads.set(id, Buffer.concat(chunks))
      return status(202, place(Buffer.concat(chunks).length))
    }
    const wanted = url.searchParams.get('digest') ?? ''
    if (digestOf(known) !== wanted) return status(400, {}, '{"errors":[{"code":"DIGEST_INVALID"}]}')
    registry.blobs.set(wanted, known)
    uploads.delete(id)
    status(201)
  }

  function blob(request: IncomingMessage, response: ServerResponse, status: Status, digest: string) {
    const known = registry.blobs.get(digest)
    if (!known) return status(404)
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const part = known.subarray(start)
    const range = start > 0 ? { 'content-range': `bytes ${start}-${known.length - 1}/${known.length}` } : {}
    const cut = request.method === 'GET' ? options.cutDownloads?.shift() : undefined
    if (cut === undefined) return status(start > 0 ? 206 : 200, range, part)
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': String(part.length), ...range })
    response.write(part.subarray(0, cut), () => setImmediate(() => response.destroy()))
  }

  async function manifest(request: IncomingMessage, status: Status, name: string) {
    if (request.method === 'PUT') {
      const bytes = await buffer(request)
      const entry = { bytes, type: request.headers['content-type'] ?? '' }
      registry.manifests.set(name, entry)
      registry.manifests.set(digestOf(bytes), entry)
      const { subject } = JSON.parse(bytes.toString('utf8')) as { subject?: { digest: string } }
      const tracked = subject && options.listsReferrers ? { 'oci-subject': subject.digest } : {}
      return status(201, tracked)
    }
    const known = registry.manifests.get(name)
    return known ? status(200, { 'content-type': known.type }, known.bytes) : status(404)
  }

  function referrers(status: Status, digest: string) {
    const all = [...registry.manifests.values()].map(({ bytes, type }) => ({
      bytes,
      type,
      value: JSON.parse(bytes.toString('utf8')),
    }))
    const manifests = all
      .filter(({ value }) => value.subject?.digest === digest)
      .map(({ bytes, type, value }) => ({
        mediaType: type,
        digest: digestOf(bytes),
        size: bytes.length,
        artifactType: value.artifactType,
      }))
    status(200, {}, JSON.stringify({ schemaVersion: 2, manifests }))
  }

  return { ...registry, host: `127.0.0.1:${(server.address() as AddressInfo).port}` }
}
