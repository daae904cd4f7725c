import { randomBytes } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeBusyboxImage, must } from '../support/busybox-image.ts'
import { startTestServer, type TestServer } from '../support/serve.ts'
import { builtRenderer, launchChromium, openWindow, type WindowPage } from '../support/window-page.ts'

// Real Chromium, real server, real Docker: a frozen bottle leaves as a file and comes back by a drop.

const image = `icebox-e2e-${randomBytes(4).toString('hex')}:1`
const LONG = { timeout: 60_000 }
let browser: Browser
let server: TestServer
let opened: WindowPage

const context = {
  signal: new AbortController().signal,
  progress: () => {},
  notice: () => {},
  confirm: () => Promise.resolve(true),
}
const page = (): Page => opened.page
const row = (slug: string) => page().locator(`.row[data-slug="${slug}"]`)

beforeAll(async () => {
  await makeBusyboxImage(image)
  browser = await launchChromium()
  server = await startTestServer({ rendererDir: await builtRenderer() })
  await writeDefinition(
    'agents',
    'sh',
    'bottle: box\nprovider: custom\ncommand:\n  headless: [sh, -c, "{prompt}"]',
  )
  await writeDefinition('bottles', 'box', `backend: docker\nimage: ${image}`)
  const prompt = 'seq 1 2000 > list.txt; echo first > work.txt'
  await server.icebox.bottles.start(
    { agent: 'sh', mode: 'headless', prompt, label: 'shop', cwd: server.home },
    context,
  )
  await server.icebox.bottles.freeze({ slug: 'shop', note: 'as it was' }, context)
  opened = await openWindow(browser, server.server.newLink())
})
afterAll(async () => {
  await opened.close()
  for (const { slug } of await server.icebox.bottles.list(context.signal)) {
    await server.icebox.bottles.destroy({ slug, purge: true }, context)
  }
  await server.close()
  await must('docker', ['rmi', image])
  await browser.close()
  // The browser notes every refused upload.
  expect(opened.complaints.filter((text) => !text.includes('409'))).toEqual([])
})

async function writeDefinition(folder: string, name: string, text: string): Promise<void> {
  await mkdir(join(server.home, folder), { recursive: true })
  await writeFile(join(server.home, folder, `${name}.md`), `---\n${text}\n---\n`)
}

async function choose(note: string, item: string): Promise<void> {
  await page().getByRole('tab', { name: 'Timeline' }).click()
  const moment = page().getByRole('row', { name: new RegExp(note) })
  await moment.hover()
  await moment.getByRole('button', { name: 'More for this snapshot' }).click()
  await page().getByRole('menuitem', { name: item }).click()
}

/** Drops a file of this machine on the list, as a person does. */
async function drop(file: string, name: string): Promise<void> {
  const bytes = (await readFile(file)).toString('base64')
  await page().evaluate(
    ([text, fileName]) => {
      const raw = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
      const data = new DataTransfer()
      data.items.add(new File([raw], fileName))
      const made = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
      document.querySelector('.list')?.dispatchEvent(made)
    },
    [bytes, name] as const,
  )
}

test('a bottle is exported, downloaded, dropped, and resumed with its work', async () => {
  await row('shop').click()
  await choose('as it was', 'Export…')
  const saving = page().waitForEvent('download', LONG)
  await page().getByRole('dialog').getByRole('button', { name: 'Export' }).click()
  const saved = await saving
  expect(saved.suggestedFilename()).toMatch(/^shop-\d{8}T\d{6}Z-[0-9a-z]{4}\.bottle$/)
  const file = await saved.path()
  expect((await stat(file)).size).toBeGreaterThan(100_000)
  // What was saved is what other tools read.
  expect(JSON.parse(await must('skopeo', ['inspect', `oci-archive:${file}`]))).toMatchObject({ Os: 'linux' })

  await drop(file, saved.suggestedFilename())
  const sheet = page().getByRole('dialog', { name: 'Import 1 file' })
  await sheet.locator('.import-facts').getByText('shop-2').waitFor(LONG)
  await sheet.getByRole('button', { name: 'Show' }).click(LONG)
  await page().locator('.detail').getByRole('heading', { name: 'shop-2' }).waitFor()
  await expect.poll(() => page().locator('.detail-title .pill').innerText()).toBe('Frozen')

  await server.icebox.bottles.resume(
    { slug: 'shop-2', mode: 'headless', prompt: 'wc -l < list.txt; cat work.txt' },
    context,
  )
  await page().getByRole('tab', { name: 'Logs' }).click()
  await page().locator('.log-line', { hasText: '2000' }).waitFor(LONG)
  await page().locator('.log-line', { hasText: 'first' }).waitFor()
})

test('a file that is no artifact is refused with the reason, and nothing new is there', async () => {
  const before = await page().locator('.row').count()
  const file = join(server.home, 'not-one.bottle')
  await writeFile(file, 'this is no archive '.repeat(2000))
  await drop(file, 'not-one.bottle')
  const sheet = page().getByRole('dialog', { name: 'Import 1 file' })
  await sheet.locator('[data-state="failed"]').filter({ hasText: 'refused' }).waitFor(LONG)
  await sheet.getByRole('button', { name: 'Done' }).click()
  expect(await page().locator('.row').count()).toBe(before)
})

test('what changed since is shown down to the line, and the snapshot is proven', async () => {
  await server.icebox.bottles.resume(
    { slug: 'shop', mode: 'headless', prompt: 'echo second >> work.txt; rm list.txt' },
    context,
  )
  await row('shop').click()
  await choose('as it was', 'Compare with now')
  const changed = page().getByRole('treeitem', { name: /work\.txt/ })
  await changed.waitFor(LONG)
  await server.icebox.bottles.freeze({ slug: 'shop', note: 'as it became' }, context)
  await choose('as it became', 'Compare with the one before')
  await expect.poll(() => page().locator('.changes-points select').last().inputValue(), LONG).not.toBe('')
  await changed.waitFor(LONG)
  await page()
    .getByRole('treeitem', { name: /list\.txt/ })
    .waitFor()
  await changed.click()
  await page().getByRole('dialog').locator('.diff-line.add', { hasText: 'second' }).waitFor(LONG)
  await page().keyboard.press('Escape')
  await page().getByRole('dialog').waitFor({ state: 'detached' })
  await choose('as it was', 'Verify')
  await page()
    .getByRole('row', { name: /as it was/ })
    .getByText('verified')
    .waitFor(LONG)
})

test('the space screen counts what is there', async () => {
  await page().locator('.sidebar').getByRole('button', { name: 'Space' }).click()
  await page().locator('.line-card', { hasText: 'shop-2' }).waitFor(LONG)
  expect(await page().locator('.problem').count()).toBe(0)
})
