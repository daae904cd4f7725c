import { expect, test } from 'vitest'
import { timelineNodes } from '../../../../src-renderer/snapshots/timeline-nodes.ts'
import { bottle, snapshot } from '../../../support/renderer-rows.ts'

const tree = [snapshot('s1', null, '2026-11-20'), snapshot('s2', 's1', '2026-11-21')]

test('a running bottle has its present moment above the current snapshot', () => {
  const nodes = timelineNodes(bottle('web', { currentSnapshot: 's1' }), tree, [])
  expect(nodes.find((node) => node.kind === 'now')).toMatchObject({ parent: 's1' })
  expect(nodes.filter((node) => node.kind === 'snapshot').map((node) => node.isCurrent)).toEqual([
    true,
    false,
  ])
})

test('a frozen bottle has none: its newest state is the snapshot', () => {
  const nodes = timelineNodes(bottle('web', { state: 'frozen', currentSnapshot: 's2' }), tree, [])
  expect(nodes.some((node) => node.kind === 'now')).toBe(false)
})

test('bottles forked from a snapshot hang on it, others do not', () => {
  const others = [
    bottle('fork', { parent: 'web@s1' }),
    bottle('other', { parent: 'api@s1' }),
    bottle('plain'),
  ]
  const forks = timelineNodes(bottle('web', { state: 'frozen' }), tree, others).filter(
    (node) => node.kind === 'fork',
  )
  expect(forks.map((node) => [node.bottle.slug, node.parent])).toEqual([['fork', 's1']])
})
