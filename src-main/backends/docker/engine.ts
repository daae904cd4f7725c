import type { Agent, IncomingMessage } from 'node:http'
import type Docker from 'dockerode'
import type { DockerOptions } from 'dockerode'
import { hostHeader } from './connect-tcp.ts'
import { type Endpoint, resolveEndpoint } from './endpoint.ts'
import { engineAgent } from './engine-agent.ts'
import { engineError } from './engine-errors.ts'
import { getJson, type Method, type RequestBody, sendJson } from './engine-http.ts'
import { openStream } from './engine-stream.ts'

export type { Docker }

/** Bound for calls that an idle daemon answers in milliseconds. */
export const SHORT_MS = 60_000
/** Bound for calls whose work grows with data: commit, copies, builds, pulls. */
export const LONG_MS = 6 * 3_600_000

/** The connection to one daemon: where it is, the library on first need, and one place for errors and time. */
export interface Engine {
  readonly env: NodeJS.ProcessEnv
  endpoint(): Promise<Endpoint>
  /** Runs one call of the library under the caller's signal and a bound. @throws BottleError */
  call<T>(
    what: string,
    signal: AbortSignal,
    run: (docker: Docker, abortSignal: AbortSignal) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T>
  /** One GET that does not load the library where the endpoint allows. @throws BottleError */
  get<T>(what: string, path: string, signal: AbortSignal, timeoutMs: number): Promise<T>
  /**
   * One call with a small body and a small answer, without the library where the endpoint allows: the library describes
   * each request for its log, which costs several milliseconds. Null for an empty answer. @throws BottleError
   */
  send<T>(
    what: string,
    request: { readonly method: Method; readonly path: string; readonly body?: RequestBody },
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<T | null>
  /** A GET whose body is read as it comes; ends with the signal. @throws BottleError */
  stream(what: string, path: string, signal: AbortSignal): Promise<IncomingMessage>
}

/** Ends with the signal what is being opened; what is open lives as long as its user wants. */
export async function whileOpening<T>(
  signal: AbortSignal,
  open: (opening: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const opening = new AbortController()
  const abort = () => opening.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await open(opening.signal)
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Opens no connection: everything happens on first use. */
export function createEngine(env: NodeJS.ProcessEnv): Engine {
  let endpointOnce: Promise<Endpoint> | undefined
  let dockerOnce: Promise<Docker> | undefined
  const endpoint = () => {
    endpointOnce ??= resolveEndpoint(env).catch((thrown) => {
      // A context may be mended while this process lives.
      endpointOnce = undefined
      throw thrown
    })
    return endpointOnce
  }
  const docker = () => {
    dockerOnce ??= endpoint().then((where) => connect(where, env))
    dockerOnce.catch(() => {
      dockerOnce = undefined
    })
    return dockerOnce
  }
  const guard = async <T>(
    what: string,
    signal: AbortSignal,
    timeoutMs: number | null,
    run: (abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const where = await endpoint()
    try {
      signal.throwIfAborted()
      const bounded = timeoutMs === null ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      return await run(bounded)
    } catch (thrown) {
      throw await engineError(thrown, what, where, signal, env)
    }
  }
  return {
    env,
    endpoint,
    call: (what, signal, run, timeoutMs = SHORT_MS) =>
      guard(what, signal, timeoutMs, async (abortSignal) => run(await docker(), abortSignal)),
    get: <T>(what: string, path: string, signal: AbortSignal, timeoutMs: number) =>
      guard(what, signal, timeoutMs, async (abortSignal) => {
        const where = await endpoint()
        if (where.kind !== 'ssh') return getJson<T>(where, path, abortSignal)
        return (await dial(await docker(), path, abortSignal, false)) as T
      }),
    send: <T>(
      what: string,
      request: { readonly method: Method; readonly path: string; readonly body?: RequestBody },
      signal: AbortSignal,
      timeoutMs: number,
    ) =>
      guard(what, signal, timeoutMs, async (abortSignal) => {
        const where = await endpoint()
        const { method, path, body } = request
        if (where.kind !== 'ssh') return sendJson<T>(where, method, path, body ?? null, abortSignal)
        return (await dialSend(await docker(), request, abortSignal)) as T | null
      }),
    stream: (what, path, signal) =>
      guard(what, signal, null, async (abortSignal) => {
        const where = await endpoint()
        if (where.kind !== 'ssh') return openStream(where, path, abortSignal)
        return (await dial(await docker(), path, abortSignal, true)) as IncomingMessage
      }),
  }
}

function dial(docker: Docker, path: string, abortSignal: AbortSignal, isStream: boolean): Promise<unknown> {
  // The library cuts the last letter off a path with a question mark, unless it adds the query itself.
  const [plain = '', search = ''] = path.split('?')
  const query = Object.fromEntries(new URLSearchParams(search))
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path: search ? `${plain}?` : plain,
        method: 'GET',
        ...(search ? { options: { _query: query } } : {}),
        isStream,
        abortSignal,
        statusCodes: { 200: true },
      },
      (error: Error | null, result: unknown) => (error ? reject(error) : resolve(result)),
    )
  })
}

function dialSend(
  docker: Docker,
  request: { readonly method: Method; readonly path: string; readonly body?: RequestBody },
  abortSignal: AbortSignal,
): Promise<unknown> {
  const [plain = '', search = ''] = request.path.split('?')
  return new Promise((resolve, reject) => {
    docker.modem.dial(
      {
        path: search ? `${plain}?` : plain,
        method: request.method,
        options: {
          _query: Object.fromEntries(new URLSearchParams(search)),
          _body: request.body?.type === 'application/json' ? JSON.parse(request.body.bytes.toString()) : {},
        },
        ...(request.body?.type === 'application/x-tar' ? { file: request.body.bytes } : {}),
        abortSignal,
        statusCodes: { 200: true, 201: true, 204: true },
      },
      (error: Error | null, result: unknown) => (error ? reject(error) : resolve(result || null)),
    )
  })
}

async function connect(endpoint: Endpoint, env: NodeJS.ProcessEnv): Promise<Docker> {
  const { default: Dockerode } = await import('dockerode')
  return new Dockerode(libraryOptions(endpoint, env))
}

/** The library takes an agent, though its types don't say so. */
type LibraryOptions = DockerOptions & { readonly agent?: Agent }

function libraryOptions(endpoint: Endpoint, env: NodeJS.ProcessEnv): LibraryOptions {
  // Named as undefined on purpose: the library reads DOCKER_HOST itself and would mix it in.
  const blank = { host: undefined, port: undefined, username: undefined } as DockerOptions
  return {
    ...blank,
    protocol: 'http',
    // Only what the agent opens counts; given a socket, the library takes no address apart.
    socketPath: endpoint.kind === 'unix' ? endpoint.socketPath : 'unused',
    agent: engineAgent(endpoint, env),
    headers: { Host: hostHeader(endpoint) },
  }
}
