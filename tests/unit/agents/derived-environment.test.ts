import { expect, test } from 'vitest'
import { derivedEnvironment, modelTitle } from '../../../src-main/agents/derived-environment.ts'
import { DEFAULT_LIFECYCLE } from '../../../src-main/agents/lifecycle.ts'

test('only an agent with a runtime of its own is told about itself', () => {
  const agent = {
    name: 'web',
    model: 'sonnet',
    lifecycle: { ...DEFAULT_LIFECYCLE, labels: { role: 'lead' } },
  }
  expect(derivedEnvironment(agent)).toEqual({})
  expect(derivedEnvironment({ ...agent, lifecycle: { ...agent.lifecycle, runtime: 'turns' } })).toEqual({
    CLAUDE_AGENT_ID: 'web',
    SCITEX_AGENT_CONTAINER_AGENT: 'web',
    CLAUDE_AGENT_ROLE: 'lead',
    SCITEX_AGENT_CONTAINER_MODEL: 'Claude Sonnet',
    CLAUDE_DISABLE_AUTO_UPDATE: '1',
  })
})

test.each([
  ['opus[1m]', 'Claude Opus (1M)'],
  ['claude-haiku', 'Claude Haiku'],
  ['gpt-5.2', 'gpt-5.2'],
  ['claude-opus-4-1-20250805', 'claude-opus-4-1-20250805'],
])('%s is %s', (model, title) => {
  expect(modelTitle(model)).toBe(title)
})
