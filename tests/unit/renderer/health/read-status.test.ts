import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readStatus, SIGNALS, toneOf } from '../../../../src-renderer/health/read-status.ts'

test('reads what a status tells under its own names', () => {
  const view = readStatus({
    sampled_at: '2026-11-21T08:00:00.000Z',
    agent_state: 'limited',
    reason: 'resets at 15:00',
    since: '2026-11-21T07:00:00.000Z',
    alive: 'yes',
    responsive: 'no',
    signed_in: 'yes',
    stuck: 'perhaps',
    context_percent: 71.4,
    context_tokens: 142_800,
    context_window: 200_000,
    context_management: { percent: 70, strategy: 'compact', trigger_at_percent: 80 },
    restarts: { count: 2, next_at: null, gave_up: 'too often' },
    limits: [{ name: '5h', used_percent: 82, resets_at: null }, { name: 'broken' }, null],
    model: 'claude-opus-4-5',
    current_tool: 'Bash',
    current_task: 'Bash: ls',
    subagent_count: 0,
    pane_text: 'one\ntwo  \n\n   \n',
  })
  expect(view).toMatchObject({
    seenAt: '2026-11-21T08:00:00.000Z',
    state: 'limited',
    signals: { alive: 'yes', responsive: 'no', waiting: 'unknown', signedIn: 'yes', stuck: 'unknown' },
    context: { percent: 71.4, tokens: 142_800, window: 200_000, strategy: 'compact', trigger: 80 },
    restarts: { count: 2, nextAt: null, gaveUp: 'too often' },
    limits: [{ name: '5h', usedPercent: 82, resetsAt: null }],
    task: 'Bash: ls',
    subagents: 0,
    screen: ['one', 'two  '],
  })
})

test('without a tool the last message is no task', () => {
  expect(readStatus({ current_task: 'do it', last_user_msg: 'do it' })).toMatchObject({
    task: null,
    lastMessage: 'do it',
  })
})

test('a model that nobody knows is no model', () => {
  expect(readStatus({ model: 'unknown' }).model).toBeNull()
})

test('whatever a status holds, it is read without an error, and nothing is taken for an answer', () => {
  const names = ['alive', 'restarts', 'limits', 'context_management', 'pane_text', 'sampled_at', 'signals']
  const anything = fc.dictionary(fc.constantFrom(...names), fc.jsonValue())
  fc.assert(
    fc.property(anything, (status) => {
      const { signals } = readStatus(status)
      for (const name of SIGNALS) expect(['yes', 'no', 'unknown']).toContain(signals[name])
    }),
  )
})

test('the same answer is good of one signal and bad of another; unknown is neither', () => {
  expect(toneOf('alive', 'yes')).toBe('good')
  expect(toneOf('signedIn', 'no')).toBe('bad')
  expect(toneOf('stuck', 'yes')).toBe('bad')
  expect(toneOf('limited', 'yes')).toBe('wait')
  expect(toneOf('waiting', 'no')).toBe('calm')
  for (const name of SIGNALS) expect(toneOf(name, 'unknown')).toBe('calm')
})
