import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, chromium, type Page } from 'playwright'
import { chromiumPath } from './prepare.ts'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
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

/** Opens the window at an address and waits until it shows its screen. */
export async function openWindow(
  browser: Browser,
  url: string,
  options: { readonly width?: number; readonly height?: number; readonly scheme?: 'light' | 'dark' } = {},
): Promise<WindowPage> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 820 },
    colorScheme: options.scheme ?? 'light',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('WebSocket')) complaints.push(message.text())
  })
  await page.goto(url)
  await page.locator('.window main h1, .window main .blank').first().waitFor()
  return { page, complaints, close: () => context.close() }
}

/**
 * What axe finds wrong at WCAG 2.2 AA, one line each.
 * @param options `scheme`: of a screen that is looked at in both; in the dark only its colours are other ones
 */
export async function accessibilityProblems(
  page: Page,
  options: { readonly scheme?: 'light' | 'dark' } = {},
): Promise<readonly string[]> {
  // Its other mode opens a page of its own for each analysis, for frames that there are none of.
  const axe = new AxeBuilder({ page }).setLegacyMode(page.frames().length === 1)
  if (options.scheme === 'dark') axe.withRules(['color-contrast', 'link-in-text-block'])
  else axe.withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
  const { violations } = await axe.analyze()
  return violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')} – ${node.failureSummary ?? ''}`),
  )
}
