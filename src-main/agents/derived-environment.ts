import type { AgentDefinition } from './definitions.ts'

/**
 * What an agent with a runtime of its own is told about itself; its definition's own variables win.
 * Source: scitex §2.2. Pure.
 */
export function derivedEnvironment(
  agent: Pick<AgentDefinition, 'name' | 'model' | 'lifecycle'>,
): Readonly<Record<string, string>> {
  const { runtime, labels } = agent.lifecycle
  if (runtime === null) return {}
  return {
    CLAUDE_AGENT_ID: agent.name,
    SCITEX_AGENT_CONTAINER_AGENT: agent.name,
    ...(labels.role === undefined ? {} : { CLAUDE_AGENT_ROLE: labels.role }),
    ...(agent.model === null ? {} : { SCITEX_AGENT_CONTAINER_MODEL: modelTitle(agent.model) }),
    // A program that replaces itself while it is watched would look like a crash.
    CLAUDE_DISABLE_AUTO_UPDATE: '1',
  }
}

/** A model as a person reads it: `opus[1m]` is Claude Opus (1M); names nobody knows stay as they are. Pure. */
export function modelTitle(model: string): string {
  const [, family = '', window] = /^(?:claude-)?(opus|sonnet|haiku)(?:\[(\w+)\])?$/i.exec(model) ?? []
  if (family === '') return model
  const title = `Claude ${family[0]?.toUpperCase()}${family.slice(1).toLowerCase()}`
  return window === undefined ? title : `${title} (${window.toUpperCase()})`
}
