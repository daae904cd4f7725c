import { expect, test } from 'vitest'
import { byBottle, partsOf } from '../../../../src-renderer/space/space-parts.ts'

const size = (slug: string, id: string, uniqueBytes: number) => ({
  slug,
  id,
  bytes: 100,
  uniqueBytes,
  sharedBytes: 100 - uniqueBytes,
})
const snapshots = [size('a', '1', 10), size('b', '2', 50), size('a', '3', 30)]

test('the parts of the disk do not overlap', () => {
  const parts = partsOf({
    snapshots,
    snapshotBytes: 150,
    storeBytes: 7,
    storeUnusedBytes: 1,
    trashBytes: 3,
    freeBytes: 1000,
    notices: [],
  })
  expect(Object.fromEntries(parts.map(({ name, bytes }) => [name, bytes]))).toEqual({
    unique: 90,
    shared: 60,
    store: 7,
    trash: 3,
    free: 1000,
  })
})

test('bottles come by what only they use', () => {
  expect(byBottle(snapshots)).toEqual([
    { slug: 'b', count: 1, uniqueBytes: 50 },
    { slug: 'a', count: 2, uniqueBytes: 40 },
  ])
})
