import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { accessibilityProblems } from '../support/accessibility.ts'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

// One app and one bottle for the whole file: each test goes on where the one before it ended.
let bottles: TestBottles
let app: DesktopApp
let page: Page
let slug = ''

const LONG = { timeout: 30_000 }

async function open(platform: 'linux' | 'darwin'): Promise<void> {
  app = await launchDesktop({
    home: bottles.home.dir,
    platform,
    env: { ICEBOX_COMMAND_DIR: join(bottles.home.dir, 'bin') },
  })
  page = await app.page()
  page.setDefaultTimeout(LONG.timeout)
  await page.locator('.window main h1').first().waitFor()
}

beforeAll(async () => {
  bottles = await makeTestBottles('backend: host')
  await open('linux')
})
afterAll(async () => {
  await app?.close()
  await bottles?.dispose()
})
beforeEach(() => page.setViewportSize({ width: 1280, height: 820 }))

const button = (name: string) => page.locator('.detail-actions').getByRole('button', { name, exact: true })
const becomes = (word: string) =>
  expect.poll(() => page.locator('.detail-title .pill').innerText(), LONG).toBe(word)
const goTo = (name: string) => page.locator('.sidebar').getByRole('button', { name }).click()
const dialog = (name: string | RegExp) => page.getByRole('dialog', { name })
const snapshots = async () =>
  (await bottles.icebox.bottles.list(new AbortController().signal)).find((row) => row.slug === slug)
    ?.snapshots

async function settings(): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await readFile(join(bottles.home.dir, 'icebox/settings.json'), 'utf8').catch(() => '{}'))
}

test('a bottle is started, spoken to, frozen, stopped and resumed', async () => {
  await page.getByRole('button', { name: /Try a sample bottle/ }).click()
  await becomes('Working')
  slug = (await page.locator('.row').getAttribute('data-slug')) ?? ''
  // The terminal's bytes come and go over a port of their own.
  await page.locator('.xterm-rows').getByText('step').first().waitFor()
  await page.locator('.xterm-helper-textarea').focus()
  await page.keyboard.type('remember the ice')
  await page.keyboard.press('Enter')
  await page.locator('.xterm-rows').getByText('Kept.').waitFor()

  await button('Freeze').click()
  await page.locator('.toast').getByText(`${slug} frozen`).waitFor()
  await button('Stop').click()
  await becomes('Frozen')
  await button('Resume').click()
  await becomes('Working')
  const notes = join(bottles.home.dir, 'state', slug, 'live/workspace/notes.md')
  expect(await readFile(notes, 'utf8')).toContain('you: remember the ice')
  expect(app.complaints).toEqual([])
})

test('the output is followed over a port', async () => {
  await page.getByRole('tab', { name: 'Logs' }).click()
  await page.locator('.log-line', { hasText: 'Welcome back. This is run 2' }).waitFor()
  const last = () => page.locator('.log-line', { hasText: /step/ }).last().innerText()
  const seen = await last()
  await expect.poll(last, LONG).not.toBe(seen)
})

test('the menu bar opens sheets, and none over another that is being filled in', async () => {
  await app.clickMenu('Help', 'Keyboard shortcuts')
  await dialog('Keyboard shortcuts').waitFor()
  await app.clickMenu('Go', 'Command palette…')
  await dialog('Command palette').waitFor()
  expect(await page.getByRole('dialog').count()).toBe(1)
  await app.clickMenu('File', 'New bottle…')
  await dialog('New bottle').waitFor()
  await app.clickMenu('Bottle', 'Fork…')
  await app.clickMenu('Go', 'Command palette…')
  await app.clickMenu('Edit', 'Settings…')
  await page.locator('.settings-group').first().waitFor({ state: 'attached' })
  expect(await page.getByRole('dialog').count()).toBe(1)
  await dialog('New bottle').waitFor()
  await page.keyboard.press('Escape')
  await page.locator('.backdrop').waitFor({ state: 'detached' })
})

test('the menu bar finds, and goes to sections', async () => {
  await app.clickMenu('Go', 'Trash')
  await page.getByRole('heading', { level: 1, name: 'Trash' }).waitFor()
  await app.clickMenu('Edit', 'Find')
  await expect.poll(() => page.locator('#bottle-search').evaluate((it) => it.matches(':focus'))).toBe(true)
})

test('a verb of the menu bar goes to the bottle that is shown', async () => {
  const before = (await snapshots()) ?? 0
  await app.clickMenu('Bottle', 'Freeze')
  await expect.poll(snapshots, LONG).toBe(before + 1)
  await page.locator('.task-strip').waitFor({ state: 'detached' })
  await app.clickMenu('Bottle', 'Destroy…')
  await page.getByRole('alertdialog').waitFor()
  await page.keyboard.press('Escape')
  await page.locator('.backdrop').waitFor({ state: 'detached' })
})

test('a link shows its tab of its bottle, an unknown one changes nothing', async () => {
  await goTo('Trash')
  await app.openUrl(`icebox://bottle/${slug}/timeline`)
  await page.getByRole('treegrid').getByText('current').waitFor()
  await app.openUrl('icebox://bottle/not-there/logs')
  await app.openUrl(`icebox://bottle/${slug}/overview`)
  await expect
    .poll(() => page.getByRole('tab', { name: 'Overview' }).getAttribute('aria-selected'))
    .toBe('true')
  expect(await page.locator('.detail-title h2').innerText()).toBe(slug)
})

test('keys that the page took do not reach the menu bar, nor do those of a field', async () => {
  await page.evaluate(() => {
    const taken: string[] = []
    Object.assign(window, { taken })
    window.addEventListener('keydown', (event) => {
      if (event.ctrlKey && event.key !== 'Control') taken.push(`${event.key} ${event.defaultPrevented}`)
    })
  })
  const taken = () => page.evaluate(() => (window as unknown as { taken: string[] }).taken.splice(0))
  await page.locator('.row').first().focus()
  await page.keyboard.press('Control+e')
  await dialog(/Export/).waitFor()
  await page.keyboard.press('Escape')
  await page.locator('.backdrop').waitFor({ state: 'detached' })
  expect(await taken()).toEqual(['e true'])

  await page.locator('#bottle-search').focus()
  await page.keyboard.press('Control+e')
  // Deleting a word belongs to the field.
  await page.keyboard.press('Control+Backspace')
  expect(await taken()).toEqual(['e true', 'Backspace false'])
  expect(await page.locator('.backdrop').count()).toBe(0)
})

test('settings of the desktop are stored, and shown as others store them', async () => {
  await goTo('Settings')
  const low = page.getByRole('switch', { name: 'Freeze running bottles when the battery is low' })
  await low.click()
  await page.getByLabel('The battery is low at so many percent').fill('25')
  await page.keyboard.press('Enter')
  await page.getByLabel('Key that shows the window from anywhere').selectOption({ label: 'Ctrl+Alt+I' })
  await page.getByRole('group', { name: 'Running bottles when you quit' }).getByText('Leave running').click()
  await expect.poll(settings).toMatchObject({
    freezeOnLowBattery: true,
    lowBatteryPercent: 25,
    globalShortcut: 'mod+alt+i',
    quitWithRunning: 'leave',
  })
  await (await bottles.icebox.settings()).set('freezeOnLowBattery', false)
  const comeBack = async () => {
    await page.evaluate(() => window.dispatchEvent(new Event('focus')))
    return low.isChecked()
  }
  await expect.poll(comeBack, LONG).toBe(false)
})

test('what a button of the page asks of the app, the app answers itself', async () => {
  await page.getByRole('button', { name: 'Install…' }).click()
  const asked = async () => (await app.records()).dialogs.find(({ message }) => message.includes('icebox'))
  await expect.poll(asked, LONG).toBeDefined()
  await app.answerDialog({ button: (await asked())?.buttons[0] ?? '' })
  // Of what the menus can do, a page may ask for no more than that.
  await page.evaluate(() => window.icebox?.desktop?.ask('quit' as never))
  await page.getByRole('button', { name: 'Check for updates…' }).click()
  await expect.poll(async () => (await app.records()).dialogs.length, LONG).toBe(2)
})

test('screens of the desktop are free of faults that axe knows', async () => {
  expect(await accessibilityProblems(page), 'settings').toEqual([])
  await goTo('Bottles')
  await page.locator('.row').first().waitFor()
  expect(await accessibilityProblems(page), 'bottles').toEqual([])
  expect(app.complaints).toEqual([])
})

/** Where the Mac's window buttons lie, with some room around them. */
const LIGHTS = { right: 72, bottom: 44 }

test('on a Mac the buttons of the window lie over nothing, however narrow it is', async () => {
  // The agent goes on without the app.
  await app.close()
  await open('darwin')
  await page.locator(':root[data-frame="inset"]').waitFor()
  for (const width of [1280, 1081, 1080, 900, 640]) {
    await page.setViewportSize({ width, height: 600 })
    const covered = await page.evaluate(({ right, bottom }) => {
      const shown = [...document.querySelectorAll<HTMLElement>('button, input, a, h1, h2, p, img, span')]
      return shown
        .filter((element) => element.checkVisibility())
        .filter((element) => {
          const box = element.getBoundingClientRect()
          return box.width > 1 && box.left < right && box.top < bottom
        })
        .map((element) => element.outerHTML)
    }, LIGHTS)
    expect(covered, `${width}`).toEqual([])
    // Whatever comes to lie at the list's top later keeps clear of them too.
    expect((await page.locator('.sidebar').boundingBox())?.width, `${width}`).toBeGreaterThan(LIGHTS.right)
    const isNarrow = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
    expect(isNarrow, `${width}`).toBe(false)
  }
})

test('on a Mac the sidebar lets the system’s material through, and the first line moves the window', async () => {
  const ground = (selector: string) =>
    page.locator(selector).evaluate((element) => getComputedStyle(element).backgroundColor)
  for (const clear of ['body', '.sidebar']) expect(await ground(clear), clear).toBe('rgba(0, 0, 0, 0)')
  for (const solid of ['.centre', '.status']) expect(await ground(solid), solid).toMatch(/^rgb\(/)
  const region = (selector: string) =>
    page
      .locator(selector)
      .first()
      .evaluate((element) => getComputedStyle(element).getPropertyValue('-webkit-app-region'))
  for (const handle of ['.brand', '.list-bar-top', '.detail-title']) {
    expect(await region(handle), handle).toBe('drag')
  }
  for (const control of ['.list-bar-top button', '#bottle-search', '.detail-title button']) {
    expect(await region(control), control).toBe('no-drag')
  }
  expect(app.complaints).toEqual([])
})
