import type { AgentDefinition } from '../definitions.ts'

/** What a provider's program can do with conversations. */
export interface SessionAbility {
  /** A new conversation can be given an id, so that it is known before the agent has said a word. */
  readonly takesNewId: boolean
  /** It can go on with its newest conversation without being told which. */
  readonly continuesNewest: boolean
  /** It can go on with a conversation by its id. */
  readonly resumesById: boolean
}

const NONE: SessionAbility = { takesNewId: false, continuesNewest: false, resumesById: false }

const ABILITIES: Readonly<Record<'claude' | 'codex' | 'pi', SessionAbility>> = {
  claude: { takesNewId: true, continuesNewest: true, resumesById: true },
  codex: { takesNewId: false, continuesNewest: true, resumesById: true },
  pi: { takesNewId: true, continuesNewest: true, resumesById: true },
}

/** What the agent's provider can do; a custom agent's `resume` list tells by whether it names `{session}`. Pure. */
export function sessionAbility(agent: Pick<AgentDefinition, 'provider' | 'command'>): SessionAbility {
  if (agent.provider !== 'custom') return ABILITIES[agent.provider]
  const resume = agent.command?.resume ?? null
  if (resume === null) return NONE
  const takesId = resume.some((argument) => argument.includes('{session}'))
  return { takesNewId: false, continuesNewest: !takesId, resumesById: takesId }
}
