import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { listFiles } from '../../../../src-main/backends/host/access-files.ts'
import { openBase } from '../../../../src-main/backends/host/safe-folder.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-safe-'))
})
afterAll(() => rm(dir, { recursive: true }))

it('reads a folder as it is asked for, and lets it go when nobody asks on', async () => {
  await mkdir(join(dir, 'many'))
  await Promise.all(Array.from({ length: 1500 }, (_, at) => writeFile(join(dir, 'many', `f${at}`), '')))
  const folder = await openBase(join(dir, 'many'))
  const before = (await openHandles()).length
  let seen = 0
  for await (const entry of folder?.entries() ?? []) {
    expect(entry.isFile()).toBe(true)
    if (++seen === 3) break
  }
  expect(seen).toBe(3)
  expect((await openHandles()).length).toBe(before)
  let all = 0
  for await (const _entry of folder?.entries() ?? []) all++
  expect(all).toBe(1500)
  await folder?.close()
})

it('lists what lies below, and nothing where there is nothing', async () => {
  await mkdir(join(dir, 'home', 'a', 'b'), { recursive: true })
  await writeFile(join(dir, 'home', 'a', 'b', 'f'), 'four')
  const { signal } = new AbortController()
  const listed = await listFiles(join(dir, 'home'), { base: 'home', path: 'a' }, 10, signal)
  expect(listed).toMatchObject([{ path: 'b/f', bytes: 4 }])
  expect(await listFiles(join(dir, 'home'), { base: 'home', path: 'none' }, 10, signal)).toEqual([])
})

/** None are told of where the system has no list of them. */
async function openHandles(): Promise<readonly string[]> {
  return readdir('/proc/self/fd').catch(() => [])
}
