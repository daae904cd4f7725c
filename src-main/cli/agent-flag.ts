import { resolve } from 'node:path'

/** An agent as the user named it; the path of a file starts where the user is, whatever `--cwd` says. */
export function agentFlag(cwd: string, agent: string): string {
  const isPath = agent.includes('/') || /\.ya?ml$/.test(agent)
  return isPath && !agent.startsWith('~/') ? resolve(cwd, agent) : agent
}
