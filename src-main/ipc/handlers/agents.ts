import type { Icebox } from '../../icebox.ts'
import type { Handlers } from '../router.ts'

type AgentCall = 'agent:status' | 'agent:hooks' | 'agent:try-hook' | 'agent:send'

/** The calls about the agent in a bottle. `signal` ends with the server. */
export function agentHandlers({ bottles }: Icebox, signal: AbortSignal): Pick<Handlers, AgentCall> {
  return {
    'agent:status': ({ slug }) => bottles.status(slug, signal),
    'agent:hooks': ({ slug }) => bottles.hooks(slug),
    'agent:try-hook': async ({ slug, point }) => [...(await bottles.tryHook(slug, point, signal))],
    'agent:send': async ({ slug, text, now }) => {
      await bottles.send(slug, text, { now }, signal)
      return {}
    },
  }
}
