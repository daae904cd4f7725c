import type { AgentDefinition } from '../../../../src-main/agents/definitions.ts'
import { DEFAULT_LIFECYCLE, type Lifecycle } from '../../../../src-main/agents/lifecycle.ts'

/** A definition with nothing in it but what is given. */
export function agentWith(
  lifecycle: Partial<Lifecycle>,
  more: Partial<AgentDefinition> = {},
): AgentDefinition {
  return {
    name: 'a',
    source: 'home',
    file: '/a.md',
    bottle: null,
    skills: [],
    provider: 'claude',
    isProviderGiven: true,
    command: null,
    systemPrompt: '',
    displayName: null,
    description: '',
    model: null,
    color: '',
    memory: null,
    gitGateUser: null,
    health: null,
    lifecycle: { ...DEFAULT_LIFECYCLE, runtime: 'turns', ...lifecycle },
    lines: { bottle: 1, skills: 1, command: 1 },
    ...more,
  }
}

export const commandsOf = (...texts: string[]): Lifecycle['startup'] => ({
  ...DEFAULT_LIFECYCLE.startup,
  commands: texts.map((text) => ({ text, delaySeconds: 0 })),
})
