import { expect, test } from 'vitest'
import {
  accountSizes,
  bytesFreedBy,
  type WeighedSnapshot,
} from '../../../src-main/snapshots/account-sizes.ts'

function weighed(
  id: string,
  layers: string,
  over: Partial<WeighedSnapshot> & { elsewhere?: string } = {},
): WeighedSnapshot {
  const { elsewhere = '', ...rest } = over
  return {
    slug: 'web',
    isTrashed: false,
    backend: 'docker',
    // A layer is a letter, a weighs 1, b 10, c 100, …
    sizes: {
      snapshotId: id,
      layers: [...layers].map((key) => ({ key, bytes: 10 ** (key.charCodeAt(0) - 97) })),
      usedElsewhere: [...elsewhere],
    },
    ...rest,
  }
}

test('a layer that two snapshots have is shared, and counts once in all', () => {
  const accounts = accountSizes([weighed('1', 'ab'), weighed('2', 'abc')])
  expect(accounts.snapshots).toEqual([
    { slug: 'web', id: '1', bytes: 11, uniqueBytes: 0, sharedBytes: 11 },
    { slug: 'web', id: '2', bytes: 111, uniqueBytes: 100, sharedBytes: 11 },
  ])
  expect(accounts).toMatchObject({ snapshotBytes: 111, trashBytes: 0 })
})

test('a trashed snapshot keeps its layers, and only what it alone has is the trash', () => {
  const accounts = accountSizes([weighed('1', 'ab'), weighed('2', 'abc', { isTrashed: true, slug: 'gone' })])
  expect(accounts.snapshots).toEqual([{ slug: 'web', id: '1', bytes: 11, uniqueBytes: 0, sharedBytes: 11 }])
  expect(accounts).toMatchObject({ snapshotBytes: 11, trashBytes: 100 })
})

test('what a base image or somebody else uses is never freed', () => {
  const accounts = accountSizes([weighed('1', 'ab', { elsewhere: 'a' })])
  expect(accounts.snapshots).toEqual([{ slug: 'web', id: '1', bytes: 11, uniqueBytes: 10, sharedBytes: 1 }])
  expect(accounts.snapshotBytes).toBe(10)
})

test('the same key on two engines is two things, twice in one chain is one', () => {
  const accounts = accountSizes([weighed('1', 'bb'), weighed('2', 'b', { backend: 'host' })])
  expect(accounts.snapshots.map(({ uniqueBytes }) => uniqueBytes)).toEqual([10, 10])
})

test('several deletions free together what none frees alone', () => {
  const all = [weighed('1', 'ab'), weighed('2', 'abc'), weighed('3', 'd', { isTrashed: true })]
  expect(bytesFreedBy(all, (_, id) => id === '2')).toBe(100)
  expect(bytesFreedBy(all, () => true)).toBe(111)
  expect(bytesFreedBy(all, () => false)).toBe(0)
})
