import type { ClientRequest, IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { http } from '../../../system/builtin-http.ts'
import { connectTcp, hostHeader } from '../connect-tcp.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Engine } from '../engine.ts'
import { engineError } from '../engine-errors.ts'
import { messageOf, streamOverSocket } from './socket-stream.ts'

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'HEAD'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: AsyncIterable<Uint8Array>
}

/**
 * One request whose body and answer are streamed with back-pressure; the signal cuts the connection at any time.
 * An error of the body's source cuts it too, so that the daemon never takes a part for the whole. The caller reads
 * the answer to its end or destroys it. @throws BottleError; what the body threw is thrown as it is
 */
export async function exchange(
  engine: Engine,
  what: string,
  request: ExchangeRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const where = await engine.endpoint()
  let failed: { readonly thrown: unknown } | null = null
  const body =
    request.body &&
    watched(request.body, (thrown) => {
      failed = { thrown }
    })
  const sent = body ? { ...request, body } : request
  try {
    signal.throwIfAborted()
    const answer =
      where.kind === 'ssh'
        ? await overLibrary(engine, what, sent, signal)
        : await overHttp(where, sent, signal)
    const status = answer.statusCode ?? 0
    if (status >= 200 && status < 300) return answer
    throw Object.assign(new Error(messageOf(await textOf(answer))), { statusCode: status })
  } catch (thrown) {
    const source = failed as { readonly thrown: unknown } | null
    if (source) throw source.thrown
    throw await engineError(thrown, what, where, signal, engine.env)
  }
}

/**
 * A large answer as it comes, from wherever the daemon is. On a local socket an answer that breaks off looks like one
 * that ends: its content has to tell. @throws BottleError
 */
export async function* download(
  engine: Engine,
  what: string,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const where = await engine.endpoint()
  if (where.kind !== 'unix') {
    const answer = await exchange(engine, what, { method: 'GET', path }, signal)
    yield* bodyOf(engine, what, answer, signal)
    return
  }
  try {
    yield* streamOverSocket(where.socketPath, path, signal)
  } catch (thrown) {
    throw await engineError(thrown, what, where, signal, engine.env)
  }
}

/** An answer as it comes. An answer that breaks off is an error and never an end. @throws BottleError */
export async function* bodyOf(
  engine: Engine,
  what: string,
  answer: IncomingMessage,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let failed: unknown = null
  const chunks = answer[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await chunks.next().catch((thrown: unknown) => {
        failed = thrown
      })
      if (!next || next.done) break
      yield next.value as Uint8Array
    }
  } finally {
    answer.destroy()
  }
  if (failed === null && answer.complete && !signal.aborted) return
  const lost = Object.assign(new Error('the daemon ended the connection early'), { code: 'ECONNRESET' })
  throw await engineError(failed ?? lost, what, await engine.endpoint(), signal, engine.env)
}

/** The whole of a short answer. */
export async function textOf(answer: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of answer) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** Tells errors of what was to be sent from those of the connection. */
async function* watched(
  body: AsyncIterable<Uint8Array>,
  onFailure: (thrown: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (thrown) {
    onFailure(thrown)
    throw thrown
  }
}

function overHttp(
  where: Exclude<Endpoint, { kind: 'ssh' }>,
  request: ExchangeRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { method, path, headers, body } = request
  const target =
    where.kind === 'unix'
      ? { socketPath: where.socketPath, agent: false }
      : { createConnection: () => connectTcp(where) }
  const options = { method, path, signal, headers: { Host: hostHeader(where), ...headers }, ...target }
  return new Promise((resolve, reject) => {
    let isAnswered = false
    const sent = http().request(options, (answer) => {
      isAnswered = true
      resolve(answer)
    })
    sent.on('error', reject)
    if (!body) sent.end()
    else {
      writeBody(sent, body, () => isAnswered).catch((thrown: unknown) => {
        reject(thrown)
        sent.destroy()
      })
    }
  })
}

/** Ends quietly when the connection is gone or the daemon has answered before the end: its answer tells why. */
async function writeBody(
  sent: ClientRequest,
  body: AsyncIterable<Uint8Array>,
  isAnswered: () => boolean,
): Promise<void> {
  for await (const chunk of body) {
    if (sent.destroyed || isAnswered()) return
    if (!sent.write(chunk)) await roomIn(sent)
  }
  sent.end()
}

function roomIn(sent: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of EVENTS) sent.off(event, done)
      resolve()
    }
    for (const event of EVENTS) sent.once(event, done)
    if (sent.destroyed) done()
  })
}
const EVENTS = ['drain', 'close', 'error', 'response'] as const

/** Through the client library, which alone speaks SSH. */
function overLibrary(
  engine: Engine,
  what: string,
  request: ExchangeRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { method, path, headers, body } = request
  const cut = new AbortController()
  const both = AbortSignal.any([signal, cut.signal])
  return engine.call(
    what,
    both,
    (docker, abortSignal) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const file = body ? Readable.from(body, { objectMode: false, highWaterMark: 1 << 20 }) : undefined
        file?.on('error', (thrown) => {
          reject(thrown)
          cut.abort()
        })
        const [plain = '', search = ''] = path.split('?')
        docker.modem.dial(
          {
            path: search ? `${plain}?` : plain,
            method,
            ...(search ? { options: { _query: Object.fromEntries(new URLSearchParams(search)) } } : {}),
            ...(file ? { file } : {}),
            ...(headers ? { headers } : {}),
            isStream: true,
            abortSignal,
            statusCodes: { 200: true, 201: true, 204: true },
          } as Parameters<typeof docker.modem.dial>[0],
          (error: Error | null, result: unknown) =>
            error ? reject(error) : resolve(result as IncomingMessage),
        )
      }),
    LIBRARY_MS,
  )
}
const LIBRARY_MS = 6 * 3_600_000
