import { expect, test } from 'vitest'
import { diskSpace, requireSpace } from '../../../src-main/system/disk-space.ts'

test('what is free and what there is', async () => {
  const disk = await diskSpace('/')
  expect(disk?.free).toBeGreaterThan(0)
  expect(disk?.total).toBeGreaterThanOrEqual(disk?.free ?? 0)
  expect(await diskSpace('/no/such/folder')).toBeNull()
})

test('what would fill the disk is refused with its figures, what fits is not', async () => {
  const free = (await diskSpace('/'))?.free ?? 0
  await requireSpace('/', 'An export', 0, 0)
  await expect(requireSpace('/', 'An export', free + 50_000_000, 0)).rejects.toMatchObject({
    code: 'disk-full',
    message: expect.stringMatching(
      /^An export needs \d+ MB and leaves 0 MB free, but only \d+ MB are free at \/\./,
    ),
  })
})

test('the floor is never more than a twentieth of the disk', async () => {
  const disk = await diskSpace('/')
  if (!disk || disk.free < disk.total * 0.1) throw new Error('this test needs a disk with a tenth free')
  await requireSpace('/', 'A freeze', 0, Number.MAX_SAFE_INTEGER)
  await expect(requireSpace('/', 'A freeze', disk.free - 1, Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({
    code: 'disk-full',
  })
})

test('a folder that can not be asked refuses nothing', async () => {
  await requireSpace('/no/such/folder', 'A freeze', 1, 1)
})
