import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type CannedServer, startCannedServer } from '../support/canned-server.ts'
import { builtRenderer, launchChromium, openWindow, type WindowPage } from '../support/window-page.ts'

let browser: Browser
let root: string
let server: CannedServer
let opened: WindowPage

beforeAll(async () => {
  root = await builtRenderer()
  browser = await launchChromium()
})
afterAll(() => browser.close())
afterEach(async () => {
  await opened.close()
  await server.close()
  expect(opened.complaints).toEqual([])
})

async function open(): Promise<{ page: Page; server: CannedServer }> {
  server = await startCannedServer({ root, scene: 'three' })
  opened = await openWindow(browser, server.url)
  return { page: opened.page, server }
}

describe('the terminal', () => {
  test('shows what comes, sends what is typed, and gives no key away', async () => {
    const { page, server } = await open()
    await page.getByRole('tab', { name: 'Terminal' }).click()
    await expect.poll(() => server.isOpen('terminal')).toBe(true)
    server.stream('terminal', 'ready \u001b[38;2;250;150;60m$\u001b[0m ')
    await page.locator('.xterm-rows').getByText('ready').waitFor()
    await page.locator('.xterm-helper-textarea').focus()
    await page.keyboard.type('ls')
    await page.keyboard.press('Control+d')
    await page.locator('.xterm-rows').getByText('ls').waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.keyboard.press('F6')
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('role'))).toBe('tab')
  })

  test.each([
    ['takes the focus when it is there, as it was asked for', false],
    ['leaves the focus where the person went before it was there', true],
  ])('%s', async (_what, goesElsewhere) => {
    const { page, server } = await open()
    const arrives = Promise.withResolvers<void>()
    await page.route(/terminal-tab/, async (route) => {
      await arrives.promise
      await route.continue()
    })
    await page.locator('.detail-actions').getByRole('button', { name: 'Open terminal' }).click()
    if (goesElsewhere) await page.locator('.row[data-slug="auth-rewrite"]').click()
    arrives.resolve()
    await expect.poll(() => server.isOpen('terminal')).toBe(true)
    const focused = () => page.evaluate(() => document.activeElement?.className)
    if (!goesElsewhere) await expect.poll(focused).toBe('xterm-helper-textarea')
    // The terminal would have it two frames after it is there.
    else
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
      )
    expect(await focused()).toMatch(goesElsewhere ? /^row/ : /^xterm/)
  })
})
