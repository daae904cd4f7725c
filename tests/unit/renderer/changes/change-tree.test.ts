import { describe, expect, test } from 'vitest'
import type { DiffEntry, DiffFolder } from '../../../../src-preload/contract/artifacts.ts'
import {
  type ChangeNode,
  changeRows,
  changeTree,
  openAtFirst,
} from '../../../../src-renderer/changes/change-tree.ts'

const folder = (path: string, bytes: number): DiffFolder => ({
  path,
  added: 1,
  changed: 0,
  removed: 0,
  bytes,
})
const entry = (path: string, after: number | null, before: number | null = null): DiffEntry => ({
  path,
  kind: 'added',
  type: 'file',
  bytesBefore: before,
  bytesAfter: after,
})
const outline = (nodes: readonly ChangeNode[]): unknown[] =>
  nodes.map((node) => (node.children.length > 0 ? [node.name, outline(node.children)] : node.name))

describe('the tree of changes', () => {
  test('joins folders that hold one folder only, and puts the largest first', () => {
    const tree = changeTree(
      [folder('/a', 30), folder('/a/b', 30), folder('/a/b/c', 20), folder('/z', -100)],
      [entry('/a/b/c/x', 20), entry('/a/b/y', 10), entry('/z/gone', null, 100)],
    )
    expect(outline(tree)).toEqual([
      ['z', ['gone']],
      ['a/b', [['c', ['x']], 'y']],
    ])
  })

  test('keeps a folder that itself is new apart from the one in it', () => {
    const made: DiffEntry = { ...entry('/a', null), type: 'folder' }
    const tree = changeTree([folder('/a', 1), folder('/a/b', 1)], [made, entry('/a/b/x', 1)])
    expect(outline(tree)).toEqual([['a', [['b', ['x']]]]])
  })

  test('hangs an entry on the nearest folder that was told', () => {
    const tree = changeTree([folder('/a', 1)], [entry('/a/deep/below/x', 1), entry('lonely', 2)])
    expect(outline(tree)).toEqual(['lonely', ['a', ['deep/below/x']]])
  })

  test('works on paths without a leading slash', () => {
    expect(outline(changeTree([folder('home', 3)], [entry('home/n', 3)]))).toEqual([['home', ['n']]])
  })
})

describe('the rows', () => {
  const tree = changeTree([folder('/a', 40)], [entry('/a/x', 40), entry('/b', 10)])
  test('are those of open folders, with their share of the largest change', () => {
    expect(changeRows(tree, new Set()).map((row) => row.node.path)).toEqual(['/a', '/b'])
    const rows = changeRows(tree, new Set(['/a']))
    expect(rows.map(({ node, level, share }) => [node.path, level, share])).toEqual([
      ['/a', 1, 1],
      ['/a/x', 2, 1],
      ['/b', 1, 0.25],
    ])
  })

  test('are open at first as deep as stays easy to survey', () => {
    expect([...openAtFirst(tree)]).toEqual(['/a'])
    const many = changeTree(
      [folder('/m', 1)],
      Array.from({ length: 30 }, (_, index) => entry(`/m/${index}`, 1)),
    )
    expect([...openAtFirst(many)]).toEqual([])
  })
})
