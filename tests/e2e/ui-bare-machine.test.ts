import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../support/serve.ts'
import { builtRenderer, launchChromium, openWindow, type WindowPage } from '../support/window-page.ts'

// A machine with a shell and nothing that Icebox could want: no engine, no terminal server, no sandbox.

let browser: Browser
let server: TestServer
let opened: WindowPage
let bin: string
const LONG = { timeout: 30_000 }

beforeAll(async () => {
  bin = await mkdtemp(join(tmpdir(), 'bare-bin-'))
  const absent = new Set(['tmux', 'docker', 'dockerd', 'bwrap', 'podman', 'screen'])
  for (const name of await readdir('/usr/bin')) {
    if (!absent.has(name)) await symlink(join('/usr/bin', name), join(bin, name))
  }
  browser = await launchChromium()
  const env = { PATH: bin, HOME: process.env.HOME, DOCKER_HOST: `unix://${bin}/nobody.sock` }
  server = await startTestServer({ rendererDir: await builtRenderer(), env })
  opened = await openWindow(browser, server.server.newLink())
})
afterAll(async () => {
  await opened.close()
  const context = {
    signal: new AbortController().signal,
    progress: () => {},
    notice: () => {},
    confirm: () => Promise.resolve(true),
  }
  for (const { slug } of await server.icebox.bottles.list(context.signal)) {
    await server.icebox.bottles.destroy({ slug, purge: true }, context)
  }
  await server.close()
  await browser.close()
  await rm(bin, { recursive: true, force: true })
  expect(opened.complaints).toEqual([])
})

test('the sample bottle starts, freezes and resumes on a machine that has nothing', async () => {
  const { page } = opened
  const pill = () => page.locator('.detail-title .pill').innerText()
  const button = (name: string) => page.locator('.detail-actions').getByRole('button', { name, exact: true })

  await page.getByRole('button', { name: /Try a sample bottle/ }).click(LONG)
  await page.locator('.row').waitFor(LONG)
  await expect.poll(pill, LONG).toBe('Working')
  const slug = (await page.locator('.row').getAttribute('data-slug')) ?? ''
  await page.getByRole('tab', { name: 'Logs' }).click()
  await page.locator('.log-line', { hasText: 'This is run 1' }).waitFor(LONG)
  // Nothing stands between this agent and the machine, and the window says so.
  await page.getByText('not isolated', { exact: false }).first().waitFor(LONG)

  await button('Freeze').click()
  await page.locator('.toast').getByText(`${slug} frozen`).waitFor(LONG)
  await button('Stop').click()
  await expect.poll(pill, LONG).toBe('Frozen')
  await button('Resume').click()
  await expect.poll(pill, LONG).toBe('Working')
  await page.locator('.log-line', { hasText: 'Welcome back. This is run 2' }).waitFor(LONG)
  const notes = await readFile(join(server.home, 'state', slug, 'live', 'workspace', 'notes.md'), 'utf8')
  expect(notes).toContain('run 1')
  expect(notes).toContain('run 2')
})
