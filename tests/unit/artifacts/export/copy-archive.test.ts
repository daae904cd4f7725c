import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { copyArchive } from '../../../../src-main/artifacts/export/copy-archive.ts'

let dir: string
let from: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-copy-'))
  from = join(dir, 'from.bottle')
  await mkdir(join(dir, 'to'))
  await writeFile(from, 'the archive', { mode: 0o600 })
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('the copy is whole, takes the place of what was there, and leaves the original', async () => {
  const to = join(dir, 'to', 'x.bottle')
  await writeFile(to, 'older and longer than what comes')
  await copyArchive(from, to)
  expect(await readFile(to, 'utf8')).toBe('the archive')
  expect(await readFile(from, 'utf8')).toBe('the archive')
  expect(await readdir(join(dir, 'to'))).toEqual(['x.bottle'])
  expect((await stat(to)).ino).not.toBe((await stat(from)).ino)
})

test.each([
  ['a folder that is gone', 'gone/x.bottle', 'not-found'],
  ['a folder with that name', 'to', 'usage'],
])('%s is told, and nothing is left', async (_what, name, code) => {
  await expect(copyArchive(from, join(dir, name))).rejects.toMatchObject({ code })
  expect(await readdir(dir, { recursive: true })).toEqual(expect.arrayContaining(['from.bottle', 'to']))
  expect(await readdir(dir, { recursive: true })).toHaveLength(2)
})

test('an original that is gone leaves what was there', async () => {
  const to = join(dir, 'to', 'x.bottle')
  await writeFile(to, 'older')
  await expect(copyArchive(join(dir, 'none'), to)).rejects.toThrow()
  expect(await readFile(to, 'utf8')).toBe('older')
  expect(await readdir(join(dir, 'to'))).toEqual(['x.bottle'])
})
