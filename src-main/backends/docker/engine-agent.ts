import type { Agent } from 'node:http'
import type { Duplex } from 'node:stream'
import { http } from '../../system/builtin-http.ts'
import { connectTcp } from './connect-tcp.ts'
import type { Endpoint } from './endpoint.ts'

/** Opens the library's connections, each for one request, so that it needs neither addresses nor TLS nor SSH of its own. */
export function engineAgent(endpoint: Endpoint, env: NodeJS.ProcessEnv): Agent {
  const agent = new (http().Agent)({ keepAlive: false })
  if (endpoint.kind === 'tcp') agent.createConnection = () => connectTcp(endpoint)
  if (endpoint.kind === 'ssh') {
    agent.createConnection = (_options, done) => {
      connectSsh(endpoint, env.SSH_AUTH_SOCK).then(
        (stream) => done?.(null, stream),
        // Nobody looks at the stream of a failure.
        (error: Error) => done?.(error, undefined as unknown as Duplex),
      )
      return undefined
    }
  }
  return agent
}

/** As Docker's own client does it: each connection is one `docker system dial-stdio` on the far machine. */
async function connectSsh(
  endpoint: Extract<Endpoint, { kind: 'ssh' }>,
  authSocket: string | undefined,
): Promise<Duplex> {
  const { default: ssh2 } = await import('ssh2')
  const client = new ssh2.Client()
  return new Promise<Duplex>((resolve, reject) => {
    const fail = (error: Error) => {
      client.end()
      reject(error)
    }
    client.on('error', fail)
    client.on('ready', () => {
      client.exec('docker system dial-stdio', (error, stream) => {
        if (error) return fail(error)
        stream.once('close', () => client.end())
        resolve(stream)
      })
    })
    client.connect({
      host: endpoint.host,
      port: endpoint.port,
      ...(endpoint.username ? { username: endpoint.username } : {}),
      ...(authSocket ? { agent: authSocket } : {}),
    })
  })
}
