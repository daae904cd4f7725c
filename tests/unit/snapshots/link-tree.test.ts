import { expect, test } from 'vitest'
import { linkTree, withLinks } from '../../../src-main/snapshots/link-tree.ts'
import { sampleSnapshot } from '../../support/samples.ts'

const node = (id: string, parent: string | null) => ({ id, parent })

test('a gap is bridged to the nearest ancestor that is there', () => {
  const links = linkTree(
    [node('a', null), node('d', 'c'), node('e', 'b')],
    new Map([
      ['b', 'a'],
      ['c', 'b'],
    ]),
  )
  expect([...links]).toEqual([
    ['a', null],
    ['d', 'a'],
    ['e', 'a'],
  ])
})

test('unknown parents and circles make roots', () => {
  const gone = new Map([
    ['x', 'y'],
    ['y', 'x'],
    ['z', 'self'],
  ])
  const links = linkTree([node('a', 'nobody'), node('b', 'x'), node('self', 'z')], gone)
  expect([...links.values()]).toEqual([null, null, null])
})

test('only what changes is copied', () => {
  const [root, child] = [sampleSnapshot({ id: 'a' }), sampleSnapshot({ id: 'c', parent: 'b' })]
  const linked = withLinks([root, child], new Map([['b', 'a']]))
  expect(linked[0]).toBe(root)
  expect(linked[1]).toEqual({ ...child, parent: 'a' })
})
