import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { scriptedAgent, visibleFolder } from '../support/scripted-agent/scripted-agent.ts'
import { startTestServer, type TestServer } from '../support/serve.ts'
import { builtRenderer, launchChromium, openWindow, type WindowPage } from '../support/window-page.ts'

let browser: Browser
let programs: Awaited<ReturnType<typeof visibleFolder>>
let server: TestServer
let opened: WindowPage

beforeAll(async () => {
  browser = await launchChromium()
  programs = await visibleFolder()
  await scriptedAgent(programs.dir)
})
afterAll(async () => {
  await browser.close()
  await programs.remove()
})
beforeEach(async () => {
  const env = { ...process.env, PATH: `${programs.dir}:${process.env.PATH}` }
  server = await startTestServer({ rendererDir: await builtRenderer(), env })
  opened = await openWindow(browser, server.server.newLink())
})
afterEach(async () => {
  await opened.close()
  // What still runs belongs to this test's own root and goes with it.
  for (const { slug } of await server.icebox.bottles.list(new AbortController().signal)) {
    await server.icebox.bottles.destroy({ slug, purge: true }, quiet())
  }
  await server.close()
  expect(opened.complaints).toEqual([])
})

function quiet() {
  return {
    signal: new AbortController().signal,
    progress: () => {},
    notice: () => {},
    confirm: () => Promise.resolve(true),
  }
}

const button = (page: Page, name: string) =>
  page.locator('.detail-actions').getByRole('button', { name, exact: true })
const pill = (page: Page) => page.locator('.detail-title .pill')
const LONG = { timeout: 30_000 }

/** Starts the sample from the first screen and returns its name once it works. */
async function startSample(page: Page): Promise<string> {
  await page.getByRole('button', { name: /Try a sample bottle/ }).click()
  await page.locator('.row').waitFor(LONG)
  await expect.poll(() => pill(page).innerText(), LONG).toBe('Working')
  return (await page.locator('.row').getAttribute('data-slug')) ?? ''
}

const workspace = (slug: string, file: string) => join(server.home, 'state', slug, 'live', 'workspace', file)

test('the sample bottle starts, is frozen while it runs, stopped, and resumed with its work', async () => {
  const { page } = opened
  const slug = await startSample(page)

  await page.locator('.xterm-rows').getByText('step').first().waitFor(LONG)
  await page.locator('.xterm-helper-textarea').focus()
  await page.keyboard.type('remember the ice')
  await page.keyboard.press('Enter')
  await page.locator('.xterm-rows').getByText('Kept.').waitFor(LONG)

  await button(page, 'Freeze').click()
  await page.locator('.toast').getByText(`${slug} frozen`).waitFor(LONG)
  await page.getByRole('tab', { name: 'Timeline' }).click()
  await page.getByRole('treegrid').getByText('current').waitFor(LONG)

  await button(page, 'Stop').click()
  await expect.poll(() => pill(page).innerText(), LONG).toBe('Frozen')
  await button(page, 'Resume').click()
  await expect.poll(() => pill(page).innerText(), LONG).toBe('Working')

  expect(await readFile(workspace(slug, 'notes.md'), 'utf8')).toContain('you: remember the ice')
  await page.getByRole('tab', { name: 'Logs' }).click()
  await page.locator('.log-line', { hasText: 'Welcome back. This is run 2' }).waitFor(LONG)
})

test('a bottle is destroyed, waits in the trash and comes back by Undo', async () => {
  const { page } = opened
  const slug = await startSample(page)
  await page.locator('.row').click()
  await page.keyboard.press('Control+Backspace')
  await page.getByRole('alertdialog').getByRole('button', { name: 'Freeze, then destroy' }).click()
  await page.locator('.row').waitFor({ state: 'detached', ...LONG })
  await page.locator('.toast').getByRole('button', { name: 'Undo' }).click(LONG)
  await page.locator(`.row[data-slug="${slug}"]`).waitFor(LONG)
  await expect.poll(() => pill(page).innerText(), LONG).toBe('Frozen')
})

test('what another program does shows in the window', async () => {
  const { page } = opened
  const slug = await startSample(page)
  await server.icebox.bottles.freeze({ slug, note: 'from outside' }, quiet())
  await page.getByRole('tab', { name: 'Timeline' }).click()
  await page.getByRole('treegrid').getByText('from outside').waitFor(LONG)
  await server.icebox.bottles.stop(slug, {}, quiet())
  await expect.poll(() => pill(page).innerText(), LONG).toBe('Frozen')
})

test('an agent that asks is seen to ask, and goes on once it was answered here', async () => {
  const { page } = opened
  await mkdir(join(server.home, 'agents'), { recursive: true })
  await mkdir(join(server.home, 'bottles'), { recursive: true })
  await writeFile(join(server.home, 'bottles', 'here.md'), '---\nbackend: host\n---\n')
  await writeFile(
    join(server.home, 'agents', 'asker.md'),
    `---\nprovider: claude\nbottle: here\nruntime: terminal\nhealth: {enabled: true, interval: 1}\nstartup: {commands: ['!ask Run the migration?']}\n---\n`,
  )
  await server.icebox.bottles.start(
    {
      agent: 'asker',
      mode: 'headless',
      label: 'asker',
      cwd: server.home,
      allowMissingSecrets: true,
    },
    quiet(),
  )
  const row = page.locator('.row[data-slug="asker"]')
  await row.getByText('Do you want to proceed?').waitFor(LONG)
  await row.getByText('Waiting').waitFor(LONG)
  expect(
    await page.locator('.tabs label', { hasText: 'Waiting for you' }).locator('.count').innerText(),
  ).toBe('1')
  await row.click()
  await page.getByRole('tab', { name: 'Health' }).click()
  await page
    .getByRole('region', { name: 'What asker showed last' })
    .getByText('Run the migration?')
    .waitFor(LONG)
  await page.getByRole('textbox', { name: 'Answer the agent' }).fill('1')
  await page.keyboard.press('Enter')
  await page.getByText('You chose 1').waitFor(LONG)
  await page.locator('.sidebar').getByRole('button', { name: 'Activity' }).click()
  await page.locator('.stream').getByText('A message was typed.').waitFor(LONG)
  // Nothing may run when the server ends, or it would leave somebody behind to look after it.
  await server.icebox.bottles.destroy({ slug: 'asker', purge: true }, quiet())
  await page.locator('.sidebar').getByRole('button', { name: 'Bottles' }).click()
  await page.getByText('No bottles yet').or(page.locator('.row').first()).first().waitFor(LONG)
  await expect.poll(() => row.count(), LONG).toBe(0)
})
