import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'
import { pageCall } from '../support/page-call.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

const WITHIN = { timeout: 60_000, interval: 50 }

let tests: TestBottles
let app: DesktopApp
let slug = ''

beforeAll(async () => {
  tests = await makeTestBottles('backend: host')
  slug = (await tests.launch('sleep 600', 'otter')).slug
  app = await launchDesktop({ home: tests.home.dir })
  await vi.waitFor(async () => expect(JSON.stringify(await app.trayItems())).toContain(slug), WITHIN)
})
afterAll(async () => {
  await app.close()
  await tests.dispose()
})

const snapshots = () => tests.icebox.bottles.snapshots(slug)
const sleepAndWake = async () => {
  await app.emit('suspend')
  await app.emit('resume')
}
const set = async (key: string, value: unknown) => {
  await (await tests.icebox.settings()).set(key, value)
  // The app hears of it.
  const page = await app.page()
  await vi.waitFor(
    async () =>
      expect(await pageCall(page, 'settings:get')).toMatchObject({ ok: true, value: { [key]: value } }),
    WITHIN,
  )
}
/** The freezes that the app has made known, by how they ended. */
const freezes = async () => {
  const state = (await pageCall(await app.page(), 'state:snapshot')) as {
    value: { tasks: { kind: string; state: string }[] }
  }
  return state.value.tasks.filter(({ kind }) => kind === 'freeze').map((task) => task.state)
}

test('a sleep freezes nothing unless the rule is on', async () => {
  await sleepAndWake()
  await set('freezeOnSleep', true)
  expect(await freezes()).toEqual([])
  await app.emit('suspend')
  await vi.waitFor(async () => expect(await freezes()).toEqual(['done']), WITHIN)
  await app.emit('resume')
  expect(await snapshots()).toMatchObject([{ reason: 'rule', note: 'Before sleep' }])
})

test('a sleep that could not freeze says so after it', async () => {
  // A file where the snapshots should lie: no freeze can be kept.
  const place = join(tests.home.dir, 'state', slug, 'snapshots')
  await rename(place, `${place}.aside`)
  await writeFile(place, '')
  await app.closeWindow()
  await app.emit('suspend')
  await vi.waitFor(async () => {
    await app.emit('resume')
    const { notifications } = await app.records()
    expect(notifications.map(({ body }) => body).join()).toContain(
      `${slug} was not frozen before the computer slept`,
    )
  }, WITHIN)
  await rm(place)
  await rename(`${place}.aside`, place)
})

test('a shutdown is held up until what runs is frozen, asks nothing, and ends the app', async () => {
  const before = await snapshots()
  expect(await app.emit('shutdown')).toBe(true)
  expect(await app.exitCode).toBe(0)
  const after = await snapshots()
  expect(after).toHaveLength(before.length + 1)
  expect(after.at(-1)).toMatchObject({ reason: 'rule', note: 'Before shutdown' })
})

test('a rule leaves alone what has not changed, and what was written on it', async () => {
  await tests.icebox.bottles.stop(slug, { graceSeconds: 0 }, tests.context())
  const { snapshot } = await tests.icebox.bottles.freeze({ slug, note: 'mine' }, tests.context())
  const before = await snapshots()
  const again = await tests.icebox.bottles.freeze({ slug, note: 'x', reason: 'rule' }, tests.context())
  expect(again.snapshot).toMatchObject({ id: snapshot.id, note: 'mine' })
  expect(await snapshots()).toHaveLength(before.length)
})
