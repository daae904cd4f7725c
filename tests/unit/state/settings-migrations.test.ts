import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import type { StateRoot } from '../../../src-main/state/root.ts'
import { openSettings } from '../../../src-main/state/settings.ts'
import { SETTINGS } from '../../../src-main/state/settings-definition.ts'
import type { SettingsFormat } from '../../../src-main/state/settings-file.ts'
import {
  compareVersions,
  isNewerMajor,
  migrateStored,
  SETTINGS_MIGRATIONS,
  type SettingsMigration,
  storedVersion,
  withVersion,
} from '../../../src-main/state/settings-migrations.ts'
import { testRoot } from '../../support/test-root.ts'

const MIGRATIONS: readonly SettingsMigration[] = [
  { to: '1.5.0', steps: [{ do: 'rename', from: 'binDays', to: 'trashDays' }] },
  {
    to: '2.0.0',
    steps: [
      { do: 'replace', key: 'theme', values: { '"black"': 'dark' } },
      { do: 'drop', key: 'sounds' },
    ],
  },
]
const LATER: SettingsFormat = { version: '2.0.0', migrations: MIGRATIONS }
const OLD = { binDays: 30, theme: 'black', sounds: true, others: 'kept' }

const file = (root: StateRoot) => root.path('icebox', 'settings.json')
const put = async (root: StateRoot, stored: object) => {
  await mkdir(root.path('icebox'), { recursive: true })
  await writeFile(file(root), JSON.stringify(stored))
}
const onDisk = async (root: StateRoot) =>
  JSON.parse(await readFile(file(root), 'utf8')) as Record<string, unknown>
const copies = async (root: StateRoot) =>
  (await readdir(root.path('icebox'))).filter((name) => name.startsWith('settings.v'))
const openLater = (root: StateRoot) => openSettings(root, undefined, LATER)

describe('the steps', () => {
  test('lead from every version to the newest', () => {
    expect(migrateStored(OLD, MIGRATIONS)).toEqual({ trashDays: 30, theme: 'dark', others: 'kept' })
    const halfway = withVersion({ theme: 'black', trashDays: 3, binDays: 9 }, '1.5.0')
    expect(migrateStored(halfway, MIGRATIONS)).toMatchObject({ theme: 'dark', trashDays: 3, binDays: 9 })
    const newest = withVersion({ theme: 'black', sounds: true }, '2.0.0')
    expect(migrateStored(newest, MIGRATIONS)).toEqual(newest)
  })
  test('leave what they were given', () => {
    const given = Object.freeze({ ...OLD })
    migrateStored(given, MIGRATIONS)
    expect(given).toEqual(OLD)
  })
  test('of the product end at its version and are in order', () => {
    const versions = [...SETTINGS_MIGRATIONS.map(({ to }) => to), SETTINGS.version]
    expect(versions.toSorted(compareVersions)).toEqual(versions)
  })
})

describe('versions', () => {
  test.each([
    [{}, '1.0.0'],
    [withVersion({}, '1.4.2'), '1.4.2'],
    [{ __internal__: { migrations: { version: 3 } } }, '1.0.0'],
    [{ __internal__: null }, '1.0.0'],
    [{ __internal__: { migrations: { version: '>=2' } } }, '1.0.0'],
  ])('of %j is %s', (stored, version) => expect(storedVersion(stored)).toBe(version))
  test('compare by number', () => {
    expect(compareVersions('1.10.0', '1.9.9')).toBeGreaterThan(0)
    expect(compareVersions('1.0.0', '1.0.1')).toBeLessThan(0)
    expect(compareVersions('2.0.0-beta.1', '2.0.0')).toBe(0)
    expect(isNewerMajor('10.0.0', '9.0.0')).toBe(true)
    expect(isNewerMajor('1.9.0', '1.1.0')).toBe(false)
  })
})

describe('an older file', () => {
  test('is read as this version means it, and stays as it is until something is set', async () => {
    const root = await testRoot()
    await put(root, OLD)
    expect((await openLater(root)).all()).toMatchObject({ trashDays: 30, theme: 'dark' })
    expect(await onDisk(root)).toEqual(OLD)
    expect(await copies(root)).toEqual([])
  })
  test('is migrated by the first write, and kept beside as it was', async () => {
    const root = await testRoot()
    await put(root, OLD)
    await (await openLater(root)).set('closeToTray', false)
    expect(await onDisk(root)).toEqual({
      trashDays: 30,
      theme: 'dark',
      closeToTray: false,
      others: 'kept',
      __internal__: { migrations: { version: '2.0.0' } },
    })
    const kept = await copies(root)
    expect(kept).toEqual([expect.stringMatching(/^settings\.v1\.0\.0\.\d{8}T\d{6}Z\.json$/)])
    expect(JSON.parse(await readFile(root.path('icebox', kept[0] ?? ''), 'utf8'))).toEqual(OLD)
    await (await openLater(root)).set('closeToTray', true)
    expect(await copies(root)).toEqual(kept)
  })
  test('with a wrong value loses that one only, and a copy of it all is in quarantine', async () => {
    const root = await testRoot()
    await put(root, { ...OLD, closeToTray: 'perhaps' })
    await (await openLater(root)).set('autoThin', true)
    expect(await onDisk(root)).toEqual({
      trashDays: 30,
      theme: 'dark',
      autoThin: true,
      others: 'kept',
      __internal__: { migrations: { version: '2.0.0' } },
    })
    expect(await readdir(root.path('icebox', 'quarantine'))).toHaveLength(1)
  })
  test('keeps the last five copies', async () => {
    const root = await testRoot()
    await put(root, OLD)
    for (const day of [1, 2, 3, 4, 5, 6])
      await writeFile(root.path('icebox', `settings.v0.9.0.2026010${day}T000000Z.json`), '{}')
    await (await openLater(root)).set('autoThin', true)
    const kept = await copies(root)
    expect(kept).toHaveLength(5)
    expect(kept.filter((name) => name.startsWith('settings.v1.0.0.'))).toHaveLength(1)
    expect(kept).not.toContain('settings.v0.9.0.20260101T000000Z.json')
  })
})

describe('a newer file', () => {
  test('of the next major version is read, told and never written', async () => {
    const root = await testRoot()
    await put(root, withVersion({ trashDays: 30, dreams: 'many' }, '3.0.0'))
    const before = await readFile(file(root), 'utf8')
    const settings = await openLater(root)
    expect(settings.all().trashDays).toBe(30)
    expect(settings.readOnlyReason()).toContain('newer Icebox')
    await expect(settings.set('trashDays', 3)).rejects.toMatchObject({ code: 'unsupported' })
    expect(await readFile(file(root), 'utf8')).toBe(before)
    expect(await copies(root)).toEqual([])
  })
  test('of a minor version is written with its keys and its version kept', async () => {
    const root = await testRoot()
    await put(root, withVersion({ dreams: 'many' }, '2.7.0'))
    const settings = await openLater(root)
    expect(settings.readOnlyReason()).toBeNull()
    await settings.set('trashDays', 3)
    expect(await onDisk(root)).toEqual(withVersion({ dreams: 'many', trashDays: 3 }, '2.7.0'))
  })
})

test('a file holds what somebody chose, so that defaults can become better', async () => {
  const root = await testRoot()
  await (await openSettings(root)).set('trashDays', 3)
  expect(Object.keys(await onDisk(root)).sort()).toEqual(['__internal__', 'trashDays'])
})
