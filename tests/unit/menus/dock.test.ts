import { expect, test } from 'vitest'
import { attentionAfter, badgeCount, CALM } from '../../../src-main/menus/attention.ts'
import { dockMenu } from '../../../src-main/menus/dock-menu.ts'
import { progressOf } from '../../../src-main/menus/progress.ts'
import { bottleRow } from '../../support/rows.ts'
import { outline, stateOf, taskOf } from './states.ts'

const share = (current: number | null, total: number | null) => ({ phase: 'copying', current, total })

test('the dock menu holds a few bottles and what concerns all', () => {
  const bottles = Array.from({ length: 500 }, (_, n) => bottleRow(`b-${String(n).padStart(3, '0')}`))
  expect(outline(dockMenu(stateOf({ bottles })))).toEqual([
    'b-000 — running',
    'b-001 — running',
    'b-002 — running',
    'b-003 — running',
    'b-004 — running',
    '-',
    'New bottle…',
    'Freeze all',
  ])
  expect(outline(dockMenu(stateOf()))).toEqual(['New bottle…', '[Freeze all]'])
})

test.each([
  [[], { kind: 'none' }],
  [[taskOf('a', { state: 'done' })], { kind: 'none' }],
  [[taskOf('a', { kind: 'prepare', progress: share(1, 2) })], { kind: 'none' }],
  [[taskOf('a')], { kind: 'indeterminate' }],
  [[taskOf('a', { progress: share(5, null) })], { kind: 'indeterminate' }],
  [[taskOf('a', { progress: share(5, 0) })], { kind: 'indeterminate' }],
  [[taskOf('a', { progress: share(1, 3) })], { kind: 'fraction', fraction: 0.33 }],
  [[taskOf('a', { progress: share(9, 3) })], { kind: 'fraction', fraction: 1 }],
  [
    [taskOf('a', { progress: share(1, 2) }), taskOf('b', { progress: share(0, 9) }), taskOf('c')],
    { kind: 'fraction', fraction: 0.25 },
  ],
] as const)('running tasks make one bar: %#', (tasks, expected) => {
  expect(progressOf({ tasks: [...tasks] })).toEqual(expected)
})

test('what failed while nobody looked stays until somebody looks, or it went well after all', () => {
  const calm = stateOf({ bottles: [bottleRow('demo')] })
  const running = stateOf({ ...calm, tasks: [taskOf('t')] })
  const failed = stateOf({ ...calm, tasks: [taskOf('t', { state: 'failed' })] })
  const after = attentionAfter(CALM, running, failed, false)
  expect([...after.failed]).toEqual(['demo'])
  expect(badgeCount(failed, after)).toBe(1)
  expect(attentionAfter(after, failed, failed, false)).toBe(after)
  expect(attentionAfter(after, failed, failed, true)).toBe(CALM)
  expect(attentionAfter(CALM, running, failed, true)).toBe(CALM)
  const retried = stateOf({
    ...calm,
    tasks: [taskOf('t', { state: 'failed' }), taskOf('u', { state: 'done' })],
  })
  expect(attentionAfter(after, failed, retried, false).failed.size).toBe(0)
})

test('a bottle that fails, comes back or goes changes what needs a look', () => {
  const fine = stateOf({ bottles: [bottleRow('demo')] })
  const bad = stateOf({ bottles: [bottleRow('demo', { state: 'failed' })] })
  const after = attentionAfter(CALM, fine, bad, false)
  expect([...after.failed]).toEqual(['demo'])
  expect(attentionAfter(after, bad, fine, false).failed.size).toBe(0)
  expect(attentionAfter(after, bad, stateOf(), false).failed.size).toBe(0)
  // What had failed before the app looked is history.
  expect(attentionAfter(CALM, stateOf(), bad, false)).toBe(CALM)
  expect(badgeCount(stateOf({ bottles: [bottleRow('ask', { agentState: 'stuck' })] }), CALM)).toBe(1)
})
