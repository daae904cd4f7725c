import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Task } from '../../src-preload/contract/entities.ts'
import { failure } from '../../src-preload/contract/errors.ts'
import { accessibilityProblems, problemsInBothSchemes } from '../support/accessibility.ts'
import { type CannedServer, startCannedServer } from '../support/canned-server.ts'
import { builtRenderer, launchChromium, openWindow, type WindowPage } from '../support/window-page.ts'

let browser: Browser
let root: string
let server: CannedServer
let opened: WindowPage | undefined

beforeAll(async () => {
  root = await builtRenderer()
  browser = await launchChromium()
})
afterAll(() => browser.close())
afterEach(async () => {
  const complaints = opened?.complaints ?? []
  await opened?.close()
  await server.close()
  opened = undefined
  expect(complaints).toEqual([])
})

async function open(): Promise<Page> {
  server = await startCannedServer({ root, scene: 'three' })
  opened = await openWindow(browser, server.url)
  return opened.page
}
const callsOf = (name: string) => server.calls.filter((call) => call.call === name)
function endTask(change: Partial<Task>): void {
  const task = server.state().tasks.findLast((item) => item.kind === 'prepare')
  if (!task) throw new Error('nothing is prepared')
  const value: Task = { ...task, state: 'done', endedAt: new Date().toISOString(), ...change }
  server.push([{ entity: 'task', key: task.id, value }])
}
async function node(page: Page, name: RegExp) {
  await page.getByRole('tab', { name: 'Timeline' }).click()
  return page.getByRole('row', { name })
}
/** What a drag that begins there carries; null when the page held it back. */
const dragStart = (row: Awaited<ReturnType<typeof node>>) =>
  row.evaluate((element) => {
    const dataTransfer = new DataTransfer()
    const event = new DragEvent('dragstart', { dataTransfer, bubbles: true, cancelable: true })
    element.dispatchEvent(event)
    return event.defaultPrevented ? null : dataTransfer.getData('DownloadURL')
  })

test('a node is prepared under the pointer and gives an address', async () => {
  const page = await open()
  const row = await node(page, /before schema change/)
  await row.hover()
  await row.getByRole('img', { name: 'Being made ready to be dragged' }).waitFor()
  expect(await problemsInBothSchemes(page)).toEqual([])
  expect(await row.getAttribute('data-drag')).toBe('preparing')
  endTask({})
  await row.getByRole('img', { name: /^Drag it out of the window/ }).waitFor()
  expect(await problemsInBothSchemes(page)).toEqual([])
  expect(await page.locator('.toast').count()).toBe(0)
  await expect.poll(() => callsOf('artifact:drag-link').length).toBeGreaterThan(0)
  const carried = () => dragStart(row)
  const origin = new URL(server.url).origin
  await expect
    .poll(carried)
    .toMatch(
      new RegExp(
        `^application/octet-stream:auth-rewrite-\\d{8}T\\d{6}Z-\\w{4}\\.bottle:${origin}/download/canned$`,
      ),
    )
  // As the browser would when it is dropped.
  expect(await (await fetch(`${origin}/download/canned`)).text()).toBe('canned')
})

test('a passing pointer starts nothing, and leaving takes back what has not begun', async () => {
  const page = await open()
  const row = await node(page, /before schema change/)
  const other = page.getByRole('row', { name: /tests green/ })
  await row.hover()
  await expect.poll(() => callsOf('artifact:prepare').length).toBe(1)
  await other.hover()
  await expect.poll(() => callsOf('task:cancel').length).toBe(1)
})

test('a cold one says so, and tells when it is ready', async () => {
  const page = await open()
  const row = await node(page, /before schema change/)
  expect(await dragStart(row)).toBeNull()
  await page.locator('.toast').getByText('auth-rewrite is being made ready').waitFor()
  await expect.poll(() => callsOf('artifact:prepare').length).toBe(1)
  endTask({})
  await page.locator('.toast').getByText('auth-rewrite can be dragged now').waitFor()
})

test('secrets are asked about when it is dragged, not when it is pointed at', async () => {
  const page = await open()
  const row = await node(page, /before schema change/)
  await row.hover()
  await expect.poll(() => callsOf('artifact:prepare').length).toBe(1)
  endTask({ state: 'failed', error: failure('secrets-found') })
  await row.getByRole('img', { name: /^It holds secrets/ }).waitFor()
  expect(await page.getByRole('alertdialog').count()).toBe(0)
  expect(await accessibilityProblems(page)).toEqual([])
  expect(await dragStart(row)).toBeNull()
  const asked = page.getByRole('alertdialog', { name: 'Secrets were found' })
  await asked.getByRole('button', { name: 'Strip and go on' }).click()
  await expect.poll(() => callsOf('artifact:prepare').at(-1)).toMatchObject({ args: { scrub: 'strip' } })
})

test('a bottle is dragged as its current snapshot, and a pointer on its row prepares nothing', async () => {
  const page = await open()
  const row = page.locator('.row[data-slug="docs-site"]')
  expect(await row.getAttribute('draggable')).toBe('true')
  await row.hover()
  expect(callsOf('artifact:prepare')).toEqual([])
  expect(await dragStart(row)).toBeNull()
  await expect.poll(() => callsOf('artifact:prepare').length).toBe(1)
  expect(callsOf('artifact:prepare')[0]?.args).toMatchObject({ slug: 'docs-site' })
})
