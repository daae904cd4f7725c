import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { readDiff, recordDiff } from '../../../../src-main/agents/status/diff-file.ts'
import { diffSamples } from '../../../../src-main/agents/status/diff-samples.ts'
import type { AgentSample } from '../../../../src-preload/contract/agents.ts'
import { testRoot } from '../../../support/test-root.ts'
import { sample } from '../observe/agent-world.ts'

const changed = (over: Partial<AgentSample>, before: Partial<AgentSample> = {}) =>
  diffSamples(sample(before), sample({ ...before, ...over }))

test('weakness 13: what changes at every look is no change', () => {
  expect(
    changed({
      at: '2027-01-01T00:00:00.000Z',
      since: '2027-01-01T00:00:00.000Z',
      lastActivityAt: '2027-01-01T00:00:00.000Z',
      screen: ['something else'],
      contextPercent: 44,
      contextTokens: 88_000,
      costUsd: 9,
      currentToolInput: 'another file',
      lastUserMessage: 'another message',
      responsive: 'unknown',
    }),
  ).toEqual([])
})

test.each([
  ['a state', { state: 'stuck', reason: 'silent' }, ['agent_state', 'reason']],
  ['another question', { reason: 'Delete it?' }, ['reason']],
  ['a model', { model: 'claude-opus-4-6' }, ['model']],
  ['a conversation', { sessionId: 's2' }, ['session_id']],
  ['a tool', { currentTool: 'Bash' }, ['current_tool']],
  ['subagents', { subagents: 2 }, ['subagent_count']],
  ['a band of the context', { contextPercent: 71 }, ['context_band']],
  ['a given-up restart', { restarts: { count: 3, nextAt: null, gaveUp: 'too often' } }, ['restarts']],
] as const)('weakness 13: %s is a change', (_name, over, fields) => {
  expect(changed(over)).toEqual(fields)
})

test('a limit changes when it is crossed', () => {
  const limits = (usedPercent: number) => ({ limits: [{ name: '5h', usedPercent, resetsAt: null }] })
  expect(changed(limits(20))).toEqual([])
  expect(changed(limits(79), limits(20))).toEqual([])
  expect(changed(limits(81), limits(79))).toEqual(['limit_5h'])
  expect(changed(limits(5), limits(100))).toEqual(['limit_5h'])
  expect(changed(limits(96))).toEqual(['limit_5h'])
})

test('the last change that meant something is kept, one that did not leaves it', async () => {
  const root = await testRoot()
  const first = sample()
  expect(await readDiff(root, 'web')).toBeNull()
  expect(await recordDiff(root, first, sample({ state: 'working' }))).toEqual(['agent_state'])
  expect(await recordDiff(root, first, sample({ contextPercent: 41 }))).toEqual([])
  expect(await readDiff(root, 'web')).toEqual({ timestamp: first.at, fields: ['agent_state'] })
  const file = root.path('state', 'web', 'agent', 'diff.json')
  expect(JSON.parse(await readFile(file, 'utf8')).changes).toEqual({
    agent_state: { before: 'waiting', after: 'working' },
  })
  await writeFile(file, '{"diff_fields":')
  expect(await readDiff(root, 'web')).toBeNull()
})
