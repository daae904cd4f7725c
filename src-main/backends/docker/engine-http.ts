import http from 'node:http'
import https from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import type { Endpoint } from './endpoint.ts'

/**
 * One GET of a JSON answer without the client library, which costs more to load than the whole call.
 * For `unix` and `tcp` endpoints only. Throws raw: the caller maps errors.
 */
export function getJson<T>(
  endpoint: Exclude<Endpoint, { kind: 'ssh' }>,
  path: string,
  signal: AbortSignal,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const options: https.RequestOptions = {
      method: 'GET',
      path,
      signal,
      agent: false,
      headers: { Host: 'docker' },
    }
    const target =
      endpoint.kind === 'unix'
        ? { socketPath: endpoint.socketPath }
        : { host: endpoint.host, port: endpoint.port, ...tlsOptions(endpoint) }
    const isTls = endpoint.kind === 'tcp' && endpoint.tls !== null
    const request = (isTls ? https : http).request({ ...options, ...target }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        if (response.statusCode !== 200) {
          reject(Object.assign(new Error(messageIn(text)), { statusCode: response.statusCode }))
          return
        }
        try {
          resolve(JSON.parse(text) as T)
        } catch (thrown) {
          reject(thrown)
        }
      })
    })
    request.on('error', reject)
    request.end()
  })
}

/** What both this helper and the library need for TLS. */
export function tlsOptions(endpoint: Extract<Endpoint, { kind: 'tcp' }>): ConnectionOptions {
  if (!endpoint.tls) return {}
  const { ca, cert, key, verify } = endpoint.tls
  return {
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    rejectUnauthorized: verify,
  }
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    if (typeof message === 'string') return message
  } catch {
    // Not JSON: the text itself is the message.
  }
  return text
}
