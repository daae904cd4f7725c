import type { IncomingMessage } from 'node:http'
import { http } from '../../system/builtin-http.ts'
import { connectTcp, hostHeader } from './connect-tcp.ts'
import type { Endpoint } from './endpoint.ts'
import { messageIn } from './engine-http.ts'

/** Longest text of a refusal that is read. */
const REFUSAL_BYTES = 64 * 1024

/**
 * A GET whose answer is read as it comes, without the client library. The signal ends the connection at any time.
 * For `unix` and `tcp` endpoints only. Throws raw, with `statusCode` for what the engine refuses.
 */
export function openStream(
  endpoint: Exclude<Endpoint, { kind: 'ssh' }>,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const target =
      endpoint.kind === 'unix'
        ? { socketPath: endpoint.socketPath, agent: false }
        : { createConnection: () => connectTcp(endpoint) }
    const options = { method: 'GET', path, signal, headers: { Host: hostHeader(endpoint) }, ...target }
    const request = http().request(options, (response) => {
      if (response.statusCode === 200) resolve(response)
      else refuse(response, reject)
    })
    request.on('error', reject)
    request.end()
  })
}

function refuse(response: IncomingMessage, reject: (reason: Error) => void): void {
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    if (text.length < REFUSAL_BYTES) text += chunk
  })
  response.on('error', reject)
  response.on('end', () => {
    reject(Object.assign(new Error(messageIn(text)), { statusCode: response.statusCode ?? 0 }))
  })
}
