import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { createIcebox, type Icebox } from '../../src-main/icebox.ts'
import { type IceboxServer, startServer } from '../../src-main/serve.ts'
import type { Result } from '../../src-preload/contract/errors.ts'
import type { ServerMessage } from '../../src-preload/contract/wire.ts'

export interface TestServer {
  readonly server: IceboxServer
  readonly icebox: Icebox
  readonly home: string
  readonly port: number
  readonly origin: string
  /** Uses up one link and returns the `Cookie` header value. */
  login(): Promise<string>
  close(): Promise<void>
}

/** A real server over real services on a state root of its own, with a two-file page. */
export async function startTestServer(
  options: { readonly rendererDir?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<TestServer> {
  const top = await mkdtemp(join(tmpdir(), 'icebox-serve-'))
  const home = join(top, 'home')
  const rendererDir = options.rendererDir ?? (await writePage(join(top, 'renderer')))
  const icebox = await createIcebox({ home, ...(options.env ? { env: options.env } : {}) })
  const stop = new AbortController()
  const server = await startServer({ icebox, rendererDir, signal: stop.signal })
  return {
    server,
    icebox,
    home,
    port: server.port,
    origin: `http://127.0.0.1:${server.port}`,
    login: () => login(server),
    async close() {
      await server.close()
      await icebox.close()
      // Change marks are touched without waiting, so one may still come while the folder goes.
      await rm(top, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}

async function writePage(dir: string): Promise<string> {
  await mkdir(join(dir, 'assets'), { recursive: true })
  await writeFile(join(dir, 'index.html'), '<!doctype html><title>Page</title>')
  await writeFile(join(dir, 'assets', 'main-Ab3dEf9h.js'), 'export {}')
  await writeFile(join(dir, '..', 'secret.json'), '"secret"')
  return dir
}

async function login(server: IceboxServer): Promise<string> {
  const answer = await ask(server.port, new URL(server.newLink()).search, {})
  const cookie = String(answer.headers['set-cookie']?.[0] ?? '').split(';')[0]
  if (!cookie) throw new Error(`no cookie: ${answer.status}`)
  return cookie
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly body?: string
}

/** One plain request that sends the path exactly as given, which fetch would tidy up. */
export function ask(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body }: Question,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path: path.startsWith('?') ? `/${path}` : path,
        method,
        headers,
        agent: false,
      },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts).toString(),
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

export interface TestSocket {
  readonly socket: WebSocket
  readonly messages: ServerMessage[]
  call(name: string, args: unknown): Promise<Result<unknown>>
  /** The close code. */
  readonly closed: Promise<number>
}

/** Opens `/ws`; rejects with the HTTP status when it is refused. */
export function openSocket(
  port: number,
  headers: Readonly<Record<string, string>>,
  path = '/ws',
): Promise<TestSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers: { ...headers } })
    const messages: ServerMessage[] = []
    const waiting = new Map<number, (result: Result<unknown>) => void>()
    let lastId = 0
    const closed = new Promise<number>((done) => socket.once('close', (code) => done(code)))
    socket.on('message', (data, isBinary) => {
      if (isBinary) return
      const message = JSON.parse(String(data)) as ServerMessage
      messages.push(message)
      if (message.type === 'result') waiting.get(message.id)?.(message.result)
    })
    socket.once('unexpected-response', (_request, response) =>
      reject(new Error(`refused ${response.statusCode}`)),
    )
    socket.on('error', reject)
    socket.once('open', () =>
      resolve({
        socket,
        messages,
        closed,
        call(name, args) {
          lastId += 1
          const id = lastId
          return new Promise((settle) => {
            waiting.set(id, settle)
            socket.send(JSON.stringify({ type: 'call', id, call: name, args }))
          })
        },
      }),
    )
  })
}
