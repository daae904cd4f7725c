import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openPlaceRecord } from '../../../src-main/shell/place-record.ts'

let top = ''
let file = ''
const warned: unknown[] = []
const warn = (error: unknown) => void warned.push(error)
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'icebox-place-'))
  file = join(top, 'data', 'window.json')
  warned.length = 0
})
afterEach(() => rm(top, { recursive: true, force: true }))

const place = (x: number) => ({
  bounds: { x, y: 0, width: 800, height: 600 },
  isMaximized: false,
  isFullScreen: false,
})

test('the newest place is there in the next run', async () => {
  const record = await openPlaceRecord(file, warn)
  expect(record.last).toBeNull()
  record.keep(place(1))
  record.keep(place(2))
  await record.flush()
  expect((await openPlaceRecord(file, warn)).last).toEqual(place(2))
  expect(warned).toEqual([])
})

test('without a flush it is written before long', async () => {
  const record = await openPlaceRecord(file, warn)
  record.keep(place(3))
  await expect.poll(() => readFile(file, 'utf8').catch(() => '')).toContain('"x":3')
})

test.each(['', '[]', '{"bounds":{}}', 'no json'])('a damaged record is no place: %j', async (text) => {
  const damaged = join(top, 'window.json')
  await writeFile(damaged, text)
  expect((await openPlaceRecord(damaged, warn)).last).toBeNull()
})

test('what can not be written is told, and the app goes on', async () => {
  await writeFile(join(top, 'data'), 'in the way')
  const record = await openPlaceRecord(file, warn)
  record.keep(place(4))
  await record.flush()
  expect([warned.length, record.last]).toEqual([1, place(4)])
})
