import type { Agent } from 'node:http'
import { http } from '../../system/builtin-http.ts'
import { connectSsh } from './connect-ssh.ts'
import { connectTcp } from './connect-tcp.ts'
import type { Endpoint } from './endpoint.ts'

/** Opens the library's connections, each for one request, so that it needs neither addresses nor TLS nor SSH of its own. */
export function engineAgent(endpoint: Endpoint, env: NodeJS.ProcessEnv): Agent {
  const agent = new (http().Agent)({ keepAlive: false })
  if (endpoint.kind === 'tcp') agent.createConnection = () => connectTcp(endpoint)
  if (endpoint.kind === 'ssh') agent.createConnection = () => connectSsh(endpoint, env)
  return agent
}
