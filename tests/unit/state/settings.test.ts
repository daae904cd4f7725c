import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openStateRoot, type StateRoot } from '../../../src-main/state/root.ts'
import { openSettings } from '../../../src-main/state/settings.ts'
import { SETTINGS } from '../../../src-main/state/settings-definition.ts'

let home = ''
let root: StateRoot
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'icebox-settings-'))
  root = await openStateRoot(home)
})
afterEach(() => rm(home, { recursive: true, force: true }))
const file = () => join(home, 'icebox', 'settings.json')
const onDisk = async () => JSON.parse(await readFile(file(), 'utf8')) as Record<string, unknown>

test('without a file all settings are the defaults and nothing is written', async () => {
  const settings = await openSettings(root)
  expect(settings.all()).toMatchObject({
    theme: 'system',
    closeToTray: true,
    keepPortableCopies: false,
    trashDays: 7,
    importMaxGigabytes: 1024,
    importMaxEntries: 5_000_000,
    importMaxRatio: 1000,
    importRatioFromMB: 4096,
    retentionLast: 20,
    retentionHourly: 24,
    retentionDaily: 14,
    retentionWeekly: 26,
    autoThin: false,
    minFreeMB: 500,
    dragCacheMB: 2000,
  })
  expect(Object.keys(settings.all())).toEqual(Object.keys(SETTINGS.rules))
  await expect(stat(file())).rejects.toThrow()
})

test('a write is kept, is private to the user and leaves the keys of others', async () => {
  const one = await openSettings(root)
  const two = await openSettings(root)
  await one.set('theme', 'dark')
  await two.set('trashDays', 30)
  expect(await onDisk()).toMatchObject({ theme: 'dark', trashDays: 30 })
  expect((await stat(file())).mode & 0o777).toBe(0o600)
  expect(two.all()).toMatchObject({ theme: 'dark', trashDays: 30 })
})

test('writes of many at once all arrive', async () => {
  const stores = await Promise.all(Array.from({ length: 4 }, () => openSettings(root)))
  await Promise.all([
    stores[0]?.set('theme', 'light'),
    stores[1]?.set('trashDays', 9),
    stores[2]?.set('closeToTray', false),
    stores[3]?.set('keepPortableCopies', true),
  ])
  expect(await onDisk()).toMatchObject({
    theme: 'light',
    trashDays: 9,
    closeToTray: false,
    keepPortableCopies: true,
  })
})

test.each([
  ['nonsense', 1],
  ['constructor', 1],
  ['theme', 'pink'],
  ['trashDays', 0],
  ['trashDays', 1.5],
  ['closeToTray', 'yes'],
])('refuses %s = %s and changes nothing', async (key, value) => {
  const settings = await openSettings(root)
  await expect(settings.set(key, value)).rejects.toMatchObject({ code: 'usage' })
  await expect(stat(file())).rejects.toThrow()
})

test('a damaged file is kept in quarantine, read as defaults, and written anew', async () => {
  await writeFile(file(), '{"theme": "da')
  const settings = await openSettings(root)
  expect(settings.all().theme).toBe('system')
  await settings.set('theme', 'dark')
  expect((await onDisk()).theme).toBe('dark')
  const kept = await readdir(join(home, 'icebox', 'quarantine'))
  expect(await readFile(join(home, 'icebox', 'quarantine', kept[0] ?? ''), 'utf8')).toBe('{"theme": "da')
})

test('one wrong value is its default and costs no other value', async () => {
  await writeFile(file(), JSON.stringify({ theme: 7, trashDays: 30, later: 'kept' }))
  expect((await openSettings(root)).all()).toMatchObject({ theme: 'system', trashDays: 30 })
})

test('a watcher hears of another program’s write, until it leaves', async () => {
  const watching = await openSettings(root)
  const seen: unknown[] = []
  const leave = watching.watch((settings) => seen.push(settings.theme))
  await (await openSettings(root)).set('theme', 'dark')
  await vi.waitFor(() => expect(seen).toEqual(['dark']))
  leave()
  await (await openSettings(root)).set('theme', 'light')
  expect(seen).toEqual(['dark'])
})
