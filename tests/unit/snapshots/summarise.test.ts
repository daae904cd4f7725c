import { expect, test } from 'vitest'
import { compareTrees } from '../../../src-main/snapshots/diff/compare-trees.ts'
import { applyLayer, EMPTY_TREE } from '../../../src-main/snapshots/diff/layer-tree.ts'
import { summarise } from '../../../src-main/snapshots/diff/summarise.ts'
import { folder, textFile, whiteout } from '../../support/listed-entries.ts'

const base = applyLayer(
  EMPTY_TREE,
  [folder('etc'), textFile('etc/a', '12'), folder('var'), folder('var/log'), textFile('var/log/x', '12345')],
  0,
)
const next = applyLayer(
  base,
  [textFile('etc/a', '1234'), textFile('etc/b', '1'), whiteout('var/log'), folder('etc', { mode: 0o700 })],
  1,
)
const changes = compareTrees(base, next)

test('folders sum up everything below them, and totals everything', () => {
  const { totals, folders, entries, truncated } = summarise(changes, '/', 100)
  expect(totals).toEqual({ added: 1, changed: 2, removed: 2, bytes: -2 })
  expect(folders).toEqual([
    { path: '/etc', added: 1, changed: 1, removed: 0, bytes: 3 },
    { path: '/var', added: 0, changed: 0, removed: 2, bytes: -5 },
    { path: '/var/log', added: 0, changed: 0, removed: 1, bytes: -5 },
  ])
  expect(entries).toEqual([
    { path: '/etc', kind: 'metadata', type: 'folder', bytesBefore: null, bytesAfter: null },
    { path: '/etc/a', kind: 'changed', type: 'file', bytesBefore: 2, bytesAfter: 4 },
    { path: '/etc/b', kind: 'added', type: 'file', bytesBefore: null, bytesAfter: 1 },
    { path: '/var/log', kind: 'removed', type: 'folder', bytesBefore: null, bytesAfter: null },
    { path: '/var/log/x', kind: 'removed', type: 'file', bytesBefore: 5, bytesAfter: null },
  ])
  expect(truncated).toBe(0)
})

test('what is cut off still counts', () => {
  const cut = summarise(changes, '', 2)
  expect(cut.entries.map(({ path }) => path)).toEqual(['etc', 'etc/a'])
  expect(cut.truncated).toBe(3)
  expect(cut.totals).toEqual({ added: 1, changed: 2, removed: 2, bytes: -2 })
  expect(cut.folders.map(({ path }) => path)).toEqual(['etc', 'var'])
})
