import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Bottle } from '../../src-preload/contract/index.ts'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'
import { pageCall } from '../support/page-call.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

const WITHIN = { timeout: 60_000, interval: 50 }
const never = new AbortController().signal

let tests: TestBottles
let app: DesktopApp
let slug = ''

beforeEach(async () => {
  tests = await makeTestBottles('backend: host')
  app = await launchDesktop({ home: tests.home.dir })
})
afterEach(async () => {
  await app.close()
  await tests.dispose()
})

/** Starts a bottle that runs on, by another process than the app. */
async function startElsewhere(): Promise<void> {
  slug = (await tests.launch('sleep 600', 'otter')).slug
  await seesRunning()
}
/** Starts it as the page does. */
async function startInApp(): Promise<void> {
  const args = {
    agent: 'shell',
    prompt: 'sleep 600',
    label: 'otter',
    interactive: false,
    cwd: tests.home.dir,
  }
  expect(await pageCall(await app.page(), 'bottle:start', args)).toMatchObject({ ok: true })
  slug = await vi.waitFor(async () => {
    const [bottle] = await tests.icebox.bottles.list(never)
    expect(bottle?.state).toBe('running')
    return bottle?.slug ?? ''
  }, WITHIN)
  await seesRunning()
}
/** The app knows of the bottle, as its tray shows. */
async function seesRunning(): Promise<void> {
  await vi.waitFor(async () => expect(JSON.stringify(await app.trayItems())).toContain(slug), WITHIN)
}
async function row(): Promise<Bottle | undefined> {
  return (await tests.icebox.bottles.list(never)).find((bottle) => bottle.slug === slug)
}
const askToQuit = () =>
  app.evaluate(({ app: electron }) => {
    setImmediate(() => electron.quit())
  })
/** The n-th dialog, once it is open. */
async function dialog(n: number) {
  return vi.waitFor(async () => {
    const { dialogs } = await app.records()
    const found = dialogs[n]
    if (!found) throw new Error(`only ${dialogs.length} dialogs`)
    return found
  }, WITHIN)
}

test('cancel stays, a freeze that fails stays and tells, leave ends and the bottle goes on', async () => {
  await startInApp()
  await app.closeWindow()
  await app.clickTray('Quit Icebox')
  const question = await dialog(0)
  expect(question.message).toBe(`${slug} is running. Quit Icebox?`)
  expect(question.buttons).toEqual(['Leave running', 'Freeze, then quit', 'Cancel'])
  expect(question.options).toMatchObject({ defaultId: 0, cancelId: 2 })

  // A second quit while the question is open does nothing.
  await askToQuit()
  await app.answerDialog({ button: 'Cancel' })
  await seesRunning()
  expect((await app.records()).dialogs).toHaveLength(1)

  // A file where the snapshots should lie: no freeze can be kept.
  const inTheWay = join(tests.home.dir, 'state', slug, 'snapshots')
  await rm(inTheWay, { recursive: true, force: true })
  await writeFile(inTheWay, '')
  await askToQuit()
  await dialog(1)
  await app.answerDialog({ button: 'Freeze, then quit' })
  const told = await dialog(2)
  expect(told.message).toBe('Icebox did not quit')
  expect(told.detail).toContain(`Freezing ${slug}: `)
  await app.answerDialog({ button: 'OK' })
  expect((await row())?.state).toBe('running')
  await rm(inTheWay)
  await seesRunning()

  await askToQuit()
  await dialog(3)
  await app.answerDialog({ button: 'Leave running' })
  expect(await app.exitCode).toBe(0)
  expect((await row())?.state).toBe('running')
  expect(await tests.icebox.bottles.snapshots(slug)).toEqual([])
})

test('freeze all freezes and stops, ends, and is done from then on without a question', async () => {
  await startElsewhere()
  await askToQuit()
  await dialog(0)
  await app.answerDialog({ button: 'Freeze, then quit', isChecked: true })
  expect(await app.exitCode).toBe(0)
  expect((await row())?.state).toBe('frozen')
  const [snapshot] = await tests.icebox.bottles.snapshots(slug)
  expect(snapshot).toMatchObject({ reason: 'rule', note: 'Before quitting' })
  const file = await readFile(join(tests.home.dir, 'icebox/settings.json'), 'utf8')
  expect(JSON.parse(file)).toMatchObject({ quitWithRunning: 'freeze' })
})

test('the end of the session waits for no answer', async () => {
  await startElsewhere()
  await pageCall(await app.page(), 'settings:set', { key: 'freezeOnShutdown', value: false })
  await askToQuit()
  await dialog(0)
  await app.kill('SIGTERM')
  expect(await app.exitCode).toBe(0)
  expect((await row())?.state).toBe('running')
  expect(await tests.icebox.bottles.snapshots(slug)).toEqual([])
})
