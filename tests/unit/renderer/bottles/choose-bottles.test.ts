import { describe, expect, test } from 'vitest'
import { type Choice, chooseBottles, countTabs } from '../../../../src-renderer/bottles/choose-bottles.ts'
import { bottle, health } from '../../../support/renderer-rows.ts'

const rows = [
  bottle('web', { agentState: 'waiting', bytes: 10 }),
  bottle('api', { provider: 'codex', backend: 'host', engine: 'This machine', bytes: 900 }),
  bottle('docs', { state: 'frozen', agentState: 'exited', bytes: 40, lastFrozenAt: '2026-11-20T00:00:00Z' }),
  bottle('old', { state: 'failed', agentState: 'exited', exitCode: 7, badges: ['not-isolated'] }),
  bottle('gone', { state: 'unknown' }),
]
const choose = (choice: Partial<Choice>) =>
  chooseBottles(rows, {
    tab: 'all',
    query: '',
    engine: '',
    agent: '',
    sort: { key: 'name', isDescending: false },
    ...choice,
  }).map((row) => row.slug)

describe('tabs', () => {
  test('count what they show', () => {
    const counts = countTabs(rows)
    expect(counts).toEqual({ all: 5, running: 2, waiting: 1, frozen: 1, stopped: 1 })
    for (const tab of ['all', 'running', 'waiting', 'frozen', 'stopped'] as const) {
      expect(choose({ tab })).toHaveLength(counts[tab])
    }
  })

  test('an unknown bottle is never among the stopped', () => {
    expect(choose({ tab: 'stopped' })).toEqual(['old'])
  })
})

test('every word of a search must occur somewhere', () => {
  expect(choose({ query: 'codex machine' })).toEqual(['api'])
  expect(choose({ query: 'WAITING' })).toEqual(['web'])
  expect(choose({ query: 'isolated' })).toEqual(['old'])
  expect(choose({ query: 'codex frozen' })).toEqual([])
})

test('an engine or an agent can be chosen', () => {
  expect(choose({ engine: 'host' })).toEqual(['api'])
  expect(choose({ agent: 'agent:Codex' })).toEqual(['api'])
})

test('sorting goes both ways, and by state puts first what needs a person', () => {
  expect(choose({ sort: { key: 'size', isDescending: true } })[0]).toBe('api')
  expect(choose({ sort: { key: 'size', isDescending: false } }).at(-1)).toBe('api')
  expect(choose({ sort: { key: 'state', isDescending: false } })[0]).toBe('web')
})

test('rows keep their identity', () => {
  const [first] = chooseBottles(rows, {
    tab: 'all',
    query: 'web',
    engine: '',
    agent: '',
    sort: { key: 'name', isDescending: false },
  })
  expect(first).toBe(rows[0])
})

test('sorting by context puts last what nobody knows, and after that what is not looked after', () => {
  const some = [
    bottle('plain'),
    bottle('half', { health: health({ contextPercent: 50 }) }),
    bottle('full', { health: health({ contextPercent: 99 }) }),
    bottle('dark', { health: health({ contextPercent: null }) }),
  ]
  const sort = { key: 'context', isDescending: true } as const
  const sorted = chooseBottles(some, { tab: 'all', query: '', engine: '', agent: '', sort })
  expect(sorted.map(({ slug }) => slug)).toEqual(['full', 'half', 'dark', 'plain'])
})

test('a search finds what an agent asks, and its model by either name', () => {
  const some = [
    bottle('web', { health: health({ reason: 'Run the migration?', model: 'claude-opus-4-5' }) }),
    bottle('api'),
  ]
  const sort = { key: 'name', isDescending: false } as const
  for (const query of ['migration', 'opus 4.5', 'claude-opus-4'])
    expect(chooseBottles(some, { tab: 'all', query, engine: '', agent: '', sort })).toEqual([some[0]])
})
