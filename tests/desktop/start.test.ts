import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'

let home: string
let app: DesktopApp

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'icebox-desktop-'))
  app = await launchDesktop({ home })
})
afterAll(async () => {
  await app.close()
  await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

test('the window opens and shows its screen', async () => {
  const page = await app.page()
  await page.locator('.window main h1, .window main .blank').first().waitFor()
  await page.screenshot({ path: '/tmp/s1/shot.png' })
  const { windows } = await app.records()
  console.log(JSON.stringify(windows))
  expect(await app.quit()).toBe(0)
  console.log(app.output(), app.complaints)
})
