import { connect } from 'node:net'
import { http } from '../../system/builtin-http.ts'
import { connectTcp, hostHeader } from './connect-tcp.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * One GET of a JSON answer without the client library, which costs more to load than the whole call.
 * For `unix` and `tcp` endpoints only. Throws raw: the caller maps errors.
 */
export async function getJson<T>(
  endpoint: Exclude<Endpoint, { kind: 'ssh' }>,
  path: string,
  signal: AbortSignal,
): Promise<T> {
  return (await sendJson<T>(endpoint, 'GET', path, null, signal)) as T
}

/**
 * One call with a small JSON or tar body, or none, and a small JSON answer; null for an empty one.
 * For `unix` and `tcp` endpoints only. Throws raw, with `statusCode` for what the engine refuses.
 */
export async function sendJson<T>(
  endpoint: Exclude<Endpoint, { kind: 'ssh' }>,
  method: Method,
  path: string,
  body: RequestBody | null,
  signal: AbortSignal,
): Promise<T | null> {
  const { status, body: answer } =
    endpoint.kind === 'unix'
      ? await sendOverSocket(endpoint.socketPath, method, path, body, signal)
      : await sendOverTcp(endpoint, method, path, body, signal)
  // 304 too: what was asked for is so already, which the callers tell apart.
  if (status < 200 || status > 299) throw Object.assign(new Error(messageIn(answer)), { statusCode: status })
  return answer.trim() === '' ? null : (JSON.parse(answer) as T)
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface RequestBody {
  readonly type: 'application/json' | 'application/x-tar'
  readonly bytes: Buffer
}

export const jsonBody = (value: unknown): RequestBody => ({
  type: 'application/json',
  bytes: Buffer.from(JSON.stringify(value)),
})

const headersOf = (body: RequestBody | null, host = 'docker'): Record<string, string> => ({
  Host: host,
  ...(body ? { 'Content-Type': body.type, 'Content-Length': String(body.bytes.length) } : {}),
})

interface Answer {
  readonly status: number
  readonly body: string
}

/**
 * HTTP/1.0 by hand: no chunks, the answer ends with the connection. Node's own client takes four times as long for
 * its first request as the daemon for its answer, and a list is one request.
 */
function sendOverSocket(
  socketPath: string,
  method: Method,
  path: string,
  body: RequestBody | null,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = connect(socketPath)
    const chunks: Buffer[] = []
    const abort = () => socket.destroy(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const head = Object.entries({
      ...headersOf(body),
      ...(method === 'GET' || body ? {} : { 'Content-Length': '0' }),
    })
    socket.on('connect', () => {
      socket.write(
        `${method} ${path} HTTP/1.0\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      )
      if (body) socket.write(body.bytes)
    })
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      signal.removeEventListener('abort', abort)
      const answer = parseAnswer(Buffer.concat(chunks))
      if (answer) resolve(answer)
      else reject(Object.assign(new Error('the daemon ended the connection early'), { code: 'ECONNRESET' }))
    })
  })
}

/** The status and the body of an HTTP/1.0 answer; undefined for half an answer. Pure. */
export function parseAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = bytes.subarray(0, end).toString('latin1')
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  const body = bytes.subarray(end + 4)
  if (status === undefined || (length !== undefined && body.length < Number(length))) return undefined
  return { status: Number(status), body: body.toString('utf8') }
}

function sendOverTcp(
  endpoint: Extract<Endpoint, { kind: 'tcp' }>,
  method: Method,
  path: string,
  body: RequestBody | null,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = headersOf(body, hostHeader(endpoint))
    const createConnection = () => connectTcp(endpoint)
    const request = http().request({ method, path, signal, headers, createConnection }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    request.on('error', reject)
    request.end(body?.bytes)
  })
}

/** What the engine says of a refusal. Pure. */
export function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    if (typeof message === 'string') return message
  } catch {
    // Not JSON: the text itself is the message.
  }
  return text
}
