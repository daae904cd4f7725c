import { describe, expect, test } from 'vitest'
import {
  agentChoices,
  contextOf,
  contextTone,
  isOfAgent,
  modelName,
} from '../../../../src-renderer/bottles/agent-look.ts'
import { isWaiting, lookOf, sentenceOf } from '../../../../src-renderer/bottles/bottle-look.ts'
import { bottle, health } from '../../../support/renderer-rows.ts'

test('a context is amber from 70 percent and red from 85', () => {
  expect([0, 69.9, 70, 84.9, 85, 100].map(contextTone)).toEqual([
    'calm',
    'calm',
    'wait',
    'wait',
    'bad',
    'bad',
  ])
})

test('an unknown context is told of a running agent that is looked after, and of no other', () => {
  expect(contextOf(bottle('a'))).toBeNull()
  expect(contextOf(bottle('a', { health: health({ contextPercent: null }) }))).toBe('unknown')
  expect(contextOf(bottle('a', { state: 'frozen', health: health({ contextPercent: null }) }))).toBeNull()
  expect(contextOf(bottle('a', { health: health({ contextPercent: 0 }) }))).toBe(0)
})

test.each([
  ['claude-opus-4-5-20251101', 'Opus 4.5'],
  ['claude-sonnet-4-5[1m]', 'Sonnet 4.5 (1M)'],
  ['claude-3-5-haiku-20241022', 'Haiku 3.5'],
  ['claude-sonnet-4', 'Sonnet 4'],
  ['opus[1m]', 'opus (1M)'],
  ['gpt-5-codex', 'gpt-5-codex'],
  ['gpt-4o-2024-08-06', 'gpt-4o'],
  ['', ''],
])('the model %s is called %s', (model, name) => {
  expect(modelName(model)).toBe(name)
})

test('who can not go on alone waits for a person, while it runs', () => {
  const waits = (change: Parameters<typeof bottle>[1]) => isWaiting(bottle('a', change))
  for (const agentState of ['waiting', 'limited', 'signed-out', 'stuck'] as const) {
    expect(waits({ agentState })).toBe(true)
    expect(waits({ agentState, state: 'frozen' })).toBe(false)
  }
  expect(waits({ agentState: 'working' })).toBe(false)
  expect(waits({ agentState: null })).toBe(false)
})

test('every state of an agent has a shape and a word of its own', () => {
  const states = ['working', 'waiting', 'limited', 'signed-out', 'stuck'] as const
  const looks = states.map((agentState) => lookOf(bottle('a', { agentState }), null))
  expect(new Set(looks.map((look) => look.icon)).size).toBe(states.length)
  expect(new Set(looks.map((look) => look.word)).size).toBe(states.length)
})

describe('the sentence of a row', () => {
  test('tells what the agent asks', () => {
    expect(sentenceOf(bottle('a', { health: health({ reason: 'Go on? (y/n)' }) }))).toBe('Go on? (y/n)')
  })
  test('tells that it is ready where it waits without a question', () => {
    expect(sentenceOf(bottle('a', { agentState: 'waiting', health: health() }))).toBe(
      'ready for what comes next',
    )
    expect(sentenceOf(bottle('a', { agentState: 'waiting' }))).toBe('never frozen')
  })
  test('tells first that it is not restarted any more', () => {
    const gaveUp = { count: 3, nextAt: null, gaveUp: 'it crashed thrice' }
    const row = bottle('a', { stateReason: 'agent exited 1', health: health({ restarts: gaveUp }) })
    expect(sentenceOf(row)).toBe('not restarted any more: it crashed thrice')
  })
  test('tells that a restart is due, until it runs again', () => {
    const due = health({ restarts: { count: 1, nextAt: '2026-11-21T10:00:00Z', gaveUp: null } })
    const failed = bottle('a', {
      state: 'failed',
      agentState: 'exited',
      stateReason: 'agent exited 3',
      health: due,
    })
    expect(sentenceOf(failed)).toBe('is about to be started again by rule')
    expect(sentenceOf({ ...failed, state: 'starting' })).toBe('agent exited 3')
  })
  test('tells what is kept where there is nothing else', () => {
    expect(sentenceOf(bottle('a', { health: health(), snapshots: 2 }))).toBe('2 snapshots')
  })
})

describe('the agent filter', () => {
  const rows = [
    bottle('a', { agentState: 'waiting', health: health({ model: 'claude-opus-4-5' }) }),
    bottle('b', { provider: 'codex' }),
    bottle('c', { state: 'frozen', agentState: 'exited' }),
  ]
  test('offers what there is', () => {
    const { states, agents, models } = agentChoices(rows)
    expect(states.map(({ value }) => value)).toEqual(['state:waiting', 'state:working'])
    expect(agents.map(({ label }) => label)).toEqual(['Claude', 'Codex'])
    expect(models).toEqual([{ value: 'model:claude-opus-4-5', label: 'Opus 4.5' }])
  })
  test.each([
    ['', ['a', 'b', 'c']],
    ['state:waiting', ['a']],
    ['state:exited', []],
    ['agent:Codex', ['b']],
    ['model:claude-opus-4-5', ['a']],
    ['model:other', []],
  ])('%s finds %j', (filter, slugs) => {
    expect(rows.filter((row) => isOfAgent(row, filter)).map(({ slug }) => slug)).toEqual(slugs)
  })
})
