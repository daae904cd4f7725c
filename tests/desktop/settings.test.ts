import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openStateRoot } from '../../src-main/state/root.ts'
import { openSettings } from '../../src-main/state/settings.ts'
import { withVersion } from '../../src-main/state/settings-migrations.ts'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'
import { pageCall } from '../support/page-call.ts'

const WITHIN = { timeout: 60_000, interval: 50 }

let home = ''
let app: DesktopApp | undefined
const folder = () => join(home, 'icebox')
const file = () => join(folder(), 'settings.json')
const onDisk = async () => JSON.parse(await readFile(file(), 'utf8')) as Record<string, unknown>

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'icebox-settings-'))
})
afterEach(async () => {
  await app?.close()
  app = undefined
  await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

async function launchWith(stored: object): Promise<DesktopApp> {
  await mkdir(folder(), { recursive: true })
  await writeFile(file(), JSON.stringify(stored))
  app = await launchDesktop({ home })
  return app
}
/** A call of the page, as the settings screen makes it. */
async function call(name: string, args: object): Promise<unknown> {
  if (!app) throw new Error('no app')
  return pageCall(await app.page(), name, args)
}

test('desktop and command line share one file, and an older one is kept before the first write', async () => {
  const old = { trashDays: 30, others: 'kept' }
  const running = await launchWith(old)
  expect(await call('settings:get', {})).toMatchObject({ ok: true, value: { trashDays: 30 } })
  expect(await onDisk()).toEqual(old)

  expect(await call('settings:set', { key: 'autoThin', value: true })).toMatchObject({ ok: true })
  expect(await onDisk()).toEqual(withVersion({ ...old, autoThin: true }, '1.1.0'))
  const copies = (await readdir(folder())).filter((name) => name.startsWith('settings.v1.0.0.'))
  expect(copies).toHaveLength(1)
  expect(JSON.parse(await readFile(join(folder(), copies[0] ?? ''), 'utf8'))).toEqual(old)

  // What the command line opens: conf, in a process of its own.
  const other = await openSettings(await openStateRoot(home))
  expect(other.all()).toMatchObject({ trashDays: 30, autoThin: true })
  await other.set('trashDays', 90)
  await vi.waitFor(
    async () =>
      expect(await call('settings:get', {})).toMatchObject({ value: { trashDays: 90, autoThin: true } }),
    WITHIN,
  )
  expect(await call('settings:set', { key: 'trashDays', value: 0 })).toMatchObject({
    ok: false,
    error: { code: 'usage' },
  })
  expect(await onDisk()).toMatchObject({ trashDays: 90, others: 'kept' })

  // Opened by electron-store, which would answer any page where the app keeps its data.
  const listeners = await running.evaluate(({ ipcMain }) => ipcMain.listenerCount('electron-store-get-data'))
  expect(listeners).toBe(0)
})

test('a file of a newer major version is used, told and never written', async () => {
  const newer = withVersion({ trashDays: 30, dreams: 'many' }, '9.0.0')
  const running = await launchWith(newer)
  const before = await readFile(file(), 'utf8')
  expect(await call('settings:get', {})).toMatchObject({ value: { trashDays: 30 } })
  await vi.waitFor(async () => {
    const { dialogs, notifications } = await running.records()
    const told = [...dialogs.map(({ detail }) => detail), ...notifications.map(({ body }) => body)]
    expect(told.join()).toContain('written by a newer Icebox')
  }, WITHIN)
  expect(await call('settings:set', { key: 'trashDays', value: 3 })).toMatchObject({
    ok: false,
    error: { code: 'unsupported' },
  })
  expect(await readFile(file(), 'utf8')).toBe(before)
})
