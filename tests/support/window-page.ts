import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright'
import { chromiumPath } from './prepare.ts'

/** What Chromium leaves out. The last list given is the one that counts, so Playwright's own is part of it. */
const LEFT_OUT = [
  // Two pages of the browser's own for every window, dearer than ours.
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'AimEnabled',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'ThirdPartyStoragePartitioning',
]
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--disable-features=${LEFT_OUT.join(',')}`,
]

/** The built page: `ICEBOX_TEST_RENDERER`, else what the build left in `out/renderer`. */
export async function builtRenderer(): Promise<string> {
  const dir = process.env.ICEBOX_TEST_RENDERER ?? join(import.meta.dirname, '../../out/renderer')
  await access(join(dir, 'index.html'))
  return dir
}

/** Chromium as the machine has it. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = process.env.ICEBOX_TEST_CHROMIUM || (await chromiumPath())
  if (!executablePath) throw new Error('Chromium is not installed')
  return chromium.launch({ executablePath, args: FLAGS })
}

/** A page with the window open, and everything that the browser complained about. */
export interface WindowPage {
  readonly page: Page
  /** Errors of the page and refusals of the content security policy. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

/** The one page of each browser, which all windows of a file are shown in one after the other. */
const pages = new WeakMap<Browser, Page>()

async function pageOf(browser: Browser): Promise<Page> {
  const known = pages.get(browser)
  if (known && !known.isClosed()) return known
  const page = await (await browser.newContext({ reducedMotion: 'reduce' })).newPage()
  pages.set(browser, page)
  return page
}

/** Leaves nothing of a window to the next: what it stored, where the pointer lay, what it listened to. */
async function clear(page: Page, context: BrowserContext): Promise<void> {
  page.removeAllListeners('pageerror')
  page.removeAllListeners('console')
  if (page.isClosed()) return
  await page.evaluate(() => {
    localStorage.clear()
    sessionStorage.clear()
  })
  await page.goto('about:blank')
  await page.mouse.move(0, 0)
  await context.clearCookies()
}

/**
 * Opens the window at an address and waits until it shows its screen. There is one at a time: making a page of its own
 * for each costs more than all that is done in it.
 */
export async function openWindow(
  browser: Browser,
  url: string,
  options: { readonly width?: number; readonly height?: number } = {},
): Promise<WindowPage> {
  const page = await pageOf(browser)
  await page.setViewportSize({ width: options.width ?? 1280, height: options.height ?? 820 })
  await page.emulateMedia({ colorScheme: 'light' })
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('WebSocket')) complaints.push(message.text())
  })
  await page.goto(url)
  await page.locator('.window main h1, .window main .blank').first().waitFor()
  return { page, complaints, close: () => clear(page, page.context()) }
}
