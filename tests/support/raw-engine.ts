import { request } from 'node:http'

/**
 * The Docker engine spoken to without any library: what our own figures and claims are held against.
 * Unix sockets only.
 */
export interface RawEngine {
  /** Sends one request and reads the answer; a status of 400 or more throws, except those in `okStatus`. */
  call<T>(method: string, path: string, body?: unknown, okStatus?: readonly number[]): Promise<T>
}

const API = '/v1.41'

export function rawEngine(host = process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock'): RawEngine {
  if (!host.startsWith('unix://')) throw new Error(`only unix:// engines are spoken to here, not ${host}`)
  const socketPath = host.slice('unix://'.length)
  return {
    call: <T>(method: string, path: string, body?: unknown, okStatus: readonly number[] = []) =>
      new Promise<T>((resolve, reject) => {
        const text = body === undefined ? undefined : JSON.stringify(body)
        const headers =
          text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
        const sent = request(
          // Each on a connection of its own: an engine that is restarted closes those that wait.
          { socketPath, method, path: API + path, headers, timeout: 300_000, agent: false },
          (answer) => {
            const chunks: Buffer[] = []
            answer.on('data', (chunk: Buffer) => chunks.push(chunk))
            answer.on('error', reject)
            answer.on('end', () => {
              const status = answer.statusCode ?? 0
              const read = Buffer.concat(chunks).toString('utf8')
              if (status >= 400 && !okStatus.includes(status))
                reject(new Error(`${method} ${path}: ${status} ${read.trim()}`))
              else resolve((read.startsWith('{') || read.startsWith('[') ? parseOne(read) : read) as T)
            })
          },
        )
        sent.on('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer`)))
        sent.on('error', reject)
        sent.end(text)
      }),
  }
}

function parseOne(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Progress streams are several values in a row; nobody reads them.
    return text
  }
}
