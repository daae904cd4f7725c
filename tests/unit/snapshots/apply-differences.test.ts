import { expect, test } from 'vitest'
import type { RuntimeDifference } from '../../../src-main/backends/portable.ts'
import { applyDifferences } from '../../../src-main/snapshots/diff/apply-differences.ts'
import { compareTrees } from '../../../src-main/snapshots/diff/compare-trees.ts'
import { applyLayer, EMPTY_TREE } from '../../../src-main/snapshots/diff/layer-tree.ts'
import { folder, symlink, textFile } from '../../support/listed-entries.ts'

const AT = 1_000_000
const base = applyLayer(EMPTY_TREE, [folder('etc'), textFile('etc/a', 'aa', { mtime: '5' })], 0)
/** As it was frozen: on top of the image that the run began with. */
const frozen = applyLayer(
  base,
  [
    folder('work', { mode: 0o700, uid: 7 }),
    textFile('work/same', 'xx', { mtime: '900.5', uid: 7 }),
    textFile('work/later', 'xx', { mtime: '900' }),
    textFile('work/racy', 'xx', { mtime: String(AT - 1) }),
    textFile('work/gone', 'xx', { mtime: '900' }),
    symlink('work/link', 'x', { mtime: '900' }),
  ],
  1,
)

const difference = (path: string, over: Partial<RuntimeDifference> = {}): RuntimeDifference => ({
  path,
  kind: 'added',
  isFolder: false,
  bytes: 2,
  modified: 900,
  mode: 0o644,
  ...over,
})

const shown = (differences: readonly RuntimeDifference[], at = AT) =>
  compareTrees(frozen, applyDifferences(base, differences, 1, { tree: frozen, at }))
    .map(({ kind, path }) => `${kind} ${path}`)
    .sort()

test('what has the size and time that the snapshot has is not told, all else is', () => {
  const found = shown([
    difference('/etc', { kind: 'changed', isFolder: true, bytes: null, mode: 0o755 }),
    difference('/work', { isFolder: true, bytes: null, mode: 0o700 }),
    difference('/work/same'),
    difference('/work/later', { modified: 901 }),
    difference('/work/racy', { modified: AT - 1 }),
    difference('/work/link', { bytes: null, mode: 0o777 }),
    difference('/work/new'),
    difference('/etc/a', { kind: 'removed', bytes: null }),
  ])
  expect(found).toEqual([
    'added work/new',
    'changed work/later',
    'changed work/racy',
    'removed etc/a',
    'removed work/gone',
  ])
})

test('a mode that was changed alone, and a size of the same time', () => {
  const rest = ['later', 'racy', 'gone'].map((name) =>
    difference(`/work/${name}`, name === 'racy' ? { modified: AT - 1 } : {}),
  )
  const found = shown(
    [
      difference('/work', { isFolder: true, bytes: null, mode: 0o755 }),
      difference('/work/same', { mode: 0o755 }),
      difference('/work/link', { bytes: null, modified: 901 }),
      ...rest.filter(({ path }) => path !== '/work/later'),
      difference('/work/later', { bytes: 3 }),
    ],
    AT + 10,
  )
  expect(found).toEqual(['changed work/later', 'changed work/link', 'metadata work', 'metadata work/same'])
})

test('what the engine has laid over a path is as the snapshot has it', () => {
  const covered = ['same', 'later', 'racy', 'gone', 'link', 'other'].map((name) =>
    difference(`/work/${name}`, { isCovered: true, bytes: null }),
  )
  const folder = difference('/work', { isFolder: true, bytes: null, mode: 0o700 })
  expect(shown([folder, ...covered])).toEqual([])
})

test('without a snapshot beside it every told file is new content', () => {
  const next = applyDifferences(base, [difference('/etc/a', { kind: 'changed' })], 1, null)
  expect(compareTrees(base, next)).toMatchObject([{ kind: 'changed', path: 'etc/a' }])
})
