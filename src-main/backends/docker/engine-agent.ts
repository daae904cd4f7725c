import type { Agent } from 'node:http'
import { userInfo } from 'node:os'
import type { Duplex } from 'node:stream'
import { http } from '../../system/builtin-http.ts'
import { shellQuote } from '../guest/shell-quote.ts'
import { connectTcp, KEEP_ALIVE_MS } from './connect-tcp.ts'
import type { Endpoint } from './endpoint.ts'

type SshEndpoint = Extract<Endpoint, { kind: 'ssh' }>

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
async function connectSsh(endpoint: SshEndpoint, authSocket: string | undefined): Promise<Duplex> {
  const { default: ssh2 } = await import('ssh2')
  const client = new ssh2.Client()
  return new Promise<Duplex>((resolve, reject) => {
    const fail = (error: Error) => {
      client.end()
      reject(error)
    }
    client.on('error', fail)
    client.on('ready', () => {
      client.exec(dialCommand(endpoint), (error, stream) => {
        if (error) return fail(error)
        stream.once('close', () => client.end())
        resolve(endingWith(stream, () => client.end()))
      })
    })
    client.connect({
      host: endpoint.host,
      port: endpoint.port,
      username: endpoint.username ?? userInfo().username,
      keepaliveInterval: KEEP_ALIVE_MS,
      ...(authSocket ? { agent: authSocket } : {}),
    })
    // Else each step of the handshake waits for an acknowledgement that is held back.
    client.setNoDelay(true)
  })
}

function dialCommand({ socketPath }: SshEndpoint): string {
  const host = socketPath ? `--host ${shellQuote(`unix://${socketPath}`)} ` : ''
  return `docker ${host}system dial-stdio`
}

/** A channel with unread bytes never closes by itself, and would keep its connection and this process. */
function endingWith(stream: Duplex, end: () => void): Duplex {
  const destroy = stream.destroy.bind(stream)
  stream.destroy = (error?: Error) => {
    destroy(error)
    end()
    return stream
  }
  return stream
}
