import { expect, test } from 'vitest'
import type { ActivityEntry } from '../../../../src-preload/contract/agents.ts'
import { chooseActivity, keyed, kindOf } from '../../../../src-renderer/tasks/activity-kinds.ts'

const entry = (slug: string, op: string, at = '2026-11-21T08:00:00Z'): ActivityEntry => ({
  at,
  slug,
  op,
  outcome: 'done',
  message: op,
})

test('entries are told apart by kind and by bottle', () => {
  const entries = [
    entry('web', 'freeze'),
    entry('web', 'hook'),
    entry('api', 'supervise'),
    entry('api', 'start'),
  ]
  const ops = (...choice: readonly ['all' | 'life' | 'freeze' | 'hook' | 'care', string]) =>
    chooseActivity(entries, ...choice).map(({ op }) => op)
  expect(ops('all', '')).toEqual(['freeze', 'hook', 'supervise', 'start'])
  expect(ops('care', '')).toEqual(['supervise'])
  expect(ops('life', 'web')).toEqual([])
  expect(ops('all', 'web')).toEqual(['freeze', 'hook'])
  expect(kindOf('something new')).toBe('life')
})

test('keys are unique, and stay when newer entries come in front', () => {
  const old = [entry('web', 'hook'), entry('web', 'hook')]
  const keys = keyed(old).map(({ key }) => key)
  expect(new Set(keys).size).toBe(2)
  const later = keyed([entry('web', 'hook', '2026-11-21T09:00:00Z'), ...old]).map(({ key }) => key)
  expect(later.slice(1)).toEqual(keys)
})
