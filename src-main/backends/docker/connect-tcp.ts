import { isIP, connect as plainConnect, type Socket } from 'node:net'
import type { Endpoint } from './endpoint.ts'

type TcpEndpoint = Extract<Endpoint, { kind: 'tcp' }>

/** As Docker's own client has it: a network that went away without a word ends the connections that wait on it. */
export const KEEP_ALIVE_MS = 30_000

/** The only place that opens connections over a network, so that none checks less than the others. */
export function connectTcp(endpoint: TcpEndpoint): Socket {
  const { host, port, tls } = endpoint
  const socket = tls ? connectTls(endpoint, tls) : plainConnect({ host, port })
  // Each small write would wait for the answer to the one before, which the other side may hold back for 40 ms.
  socket.once('connect', () => socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS))
  return socket
}

function connectTls(
  { host, port }: TcpEndpoint,
  { ca, cert, key, verify }: NonNullable<TcpEndpoint['tls']>,
): Socket {
  return process.getBuiltinModule('node:tls').connect({
    host,
    port,
    // The certificate has to be for this name or address, whatever a request says its host is.
    servername: isIP(host) ? '' : host,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    rejectUnauthorized: verify,
  })
}

/** What a request names as its host. */
export function hostHeader(endpoint: Endpoint): string {
  if (endpoint.kind !== 'tcp') return 'docker'
  const { host, port } = endpoint
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
}
