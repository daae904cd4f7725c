import { createRequire } from 'node:module'
import type { Page } from 'playwright'

interface Violation {
  readonly id: string
  readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[]
}
interface Options {
  readonly runOnly: { readonly type: 'tag' | 'rule'; readonly values: readonly string[] }
  readonly resultTypes: readonly ['violations']
}
type WithAxe = {
  axe?: {
    run(context: Document, options: Options): Promise<{ readonly violations: readonly Violation[] }>
  }
}

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
/** All that can turn out otherwise in other colours. */
const COLOURS = ['color-contrast', 'link-in-text-block']

// The package's own runner sends the script anew for each look and carries back whatever was in order.
const { source } = createRequire(import.meta.resolve('@axe-core/playwright'))('axe-core') as {
  readonly source: string
}

async function look(page: Page, runOnly: Options['runOnly']): Promise<readonly string[]> {
  if (page.frames().length > 1) throw new Error('what is in frames is not looked at')
  const isThere = await page.evaluate(() => (window as WithAxe).axe !== undefined)
  if (!isThere) await page.evaluate(source)
  const violations = await page.evaluate(
    async (options) => {
      const { axe } = window as WithAxe
      if (!axe) throw new Error('axe is gone')
      const found = await axe.run(document, options)
      return found.violations.map(({ id, nodes }) => ({
        id,
        nodes: nodes.map(({ target, failureSummary }) => ({
          target: target.map(String),
          failureSummary: failureSummary ?? '',
        })),
      }))
    },
    { runOnly, resultTypes: ['violations'] } as const,
  )
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} – ${failureSummary}`),
  )
}

/** What axe finds wrong at WCAG 2.2 AA with what is shown, one line each. */
export function accessibilityProblems(page: Page): Promise<readonly string[]> {
  return look(page, { type: 'tag', values: TAGS })
}

/** The same in light and then in the dark, where only the colours are other ones; the page is light again afterwards. */
export async function problemsInBothSchemes(page: Page): Promise<readonly string[]> {
  const light = await accessibilityProblems(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  // Listeners of the page hear of it with the next frame.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
  const isDark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches)
  if (!isDark) throw new Error('the page did not become dark')
  const dark = await look(page, { type: 'rule', values: COLOURS })
  await page.emulateMedia({ colorScheme: 'light' })
  return [...light.map((line) => `light: ${line}`), ...dark.map((line) => `dark: ${line}`)]
}
