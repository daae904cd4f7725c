import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'
import { processesUnder } from '../support/leftovers.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

// One app for the whole file, in the order of a first day: it starts, a bottle is started in it, it quits.

const LONG = { timeout: 30_000 }

let top: string
let bottles: TestBottles
let app: DesktopApp
let page: Page

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'icebox-desktop-'))
  bottles = await makeTestBottles('backend: host')
  app = await launchDesktop({ home: bottles.home.dir, userData: join(top, 'data') })
  page = await app.page()
  await page.locator('.window main h1, .window main .blank').first().waitFor(LONG)
})
afterAll(async () => {
  await app?.close()
  await bottles?.dispose()
  await rm(top, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

/** A picture of the window, for people who look; `ICEBOX_SCREENSHOTS` keeps it. */
async function picture(name: string): Promise<void> {
  const dir = process.env.ICEBOX_SCREENSHOTS ?? join(top, 'pictures')
  await mkdir(dir, { recursive: true })
  const path = join(dir, `desktop-${name}.png`)
  await page.screenshot({ path })
  expect((await readFile(path)).length).toBeGreaterThan(5000)
}

test('one window opens with the page of the app, shown and locked down', async () => {
  const { windows } = await app.records()
  expect(windows).toHaveLength(1)
  expect(windows[0]).toMatchObject({
    url: expect.stringMatching(/^icebox-app:\/\/bundle\/index\.html/),
    isVisible: true,
    preferences: { sandbox: true, contextIsolation: true, nodeIntegration: false, webviewTag: false },
  })
  await page.getByRole('heading', { name: 'No bottles yet' }).waitFor(LONG)
  await picture('empty')
})

test('a call of the page goes through the preload to the services', async () => {
  const result = await page.evaluate(() => {
    const { icebox } = window as unknown as {
      icebox: { call(name: string, args: unknown): Promise<{ ok: boolean; value?: { home: string } }> }
    }
    return icebox.call('state:snapshot', {})
  })
  expect(result).toMatchObject({ ok: true, value: { bottles: [] } })
})

test('a bottle that another program starts appears', async () => {
  const { slug, ended } = await bottles.launch('exec sleep 1000', 'started')
  ended.catch(() => undefined)
  await page.locator(`.row[data-slug="${slug}"]`).waitFor(LONG)
  await picture('one-bottle')
  expect(app.complaints).toEqual([])
})

test('the app quits with 0, and nothing of it is left but the bottle', async () => {
  const quitting = app.quit()
  await expect.poll(async () => (await app.records()).dialogs.length, LONG).toBe(1)
  await app.answerDialog({ button: 'Leave running' })
  expect(await quitting).toBe(0)
  expect(await processesUnder(top)).toEqual([])
  expect(await readdir(join(top, 'data'))).not.toContainEqual(expect.stringContaining('chromium'))
  const { json } = await bottles.home.must(['list'])
  expect(json).toMatchObject([{ slug: 'started', state: 'running' }])
})
