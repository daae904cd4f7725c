import fc from 'fast-check'
import { expect, test } from 'vitest'
import { drawTree, type TreeNode } from '../../../src-main/cli/tree.ts'

const node = (id: string, parent: string | null): TreeNode => ({ id, parent })
const label = ({ id }: TreeNode) => id

test('a chain stays in one lane, branches get their own', () => {
  const nodes = [
    node('5', '3'),
    node('1', null),
    node('2', '1'),
    node('3', '2'),
    node('4', '2'),
    node('6', '4'),
  ]
  expect(drawTree(nodes, label, true)).toEqual(['1', '2', '├─ 3', '│  5', '└─ 4', '   6'])
  expect(drawTree(nodes, label, false)).toEqual(['1', '2', '|- 3', '|  5', '`- 4', '   6'])
})

test('a parent that is gone makes a root; itself as parent too', () => {
  expect(drawTree([node('2', 'gone'), node('1', '1')], label, true)).toEqual(['1', '2'])
})

test('a damaged cycle is shown', () => {
  expect(drawTree([node('b', 'a'), node('a', 'b'), node('c', null)], label, true)).toEqual(['c', 'a', 'b'])
})

test('a chain of ten thousand does not exhaust the stack', () => {
  const nodes = Array.from({ length: 10_000 }, (_, at) =>
    node(String(at).padStart(5, '0'), at === 0 ? null : String(at - 1).padStart(5, '0')),
  )
  expect(drawTree(nodes, label, true)).toHaveLength(10_000)
})

test('every node appears exactly once, whatever the parents say', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
  const nodes = fc.uniqueArray(fc.record({ id, parent: fc.option(id) }), { selector: (one) => one.id })
  fc.assert(
    fc.property(nodes, (some) => {
      const drawn = drawTree(some, label, false).map((line) => line.at(-1))
      expect(drawn.toSorted()).toEqual(some.map((one) => one.id).toSorted())
    }),
  )
})
