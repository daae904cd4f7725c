import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { failure } from '../../src-preload/contract/errors.ts'
import { accessibilityProblems, problemsInBothSchemes } from '../support/accessibility.ts'
import { bottle, type Scene } from '../support/canned/data.ts'
import { type CannedServer, startCannedServer } from '../support/canned-server.ts'
import { builtRenderer, launchChromium, openWindow, type WindowPage } from '../support/window-page.ts'

let browser: Browser
let root: string
let server: CannedServer | undefined
let opened: WindowPage | undefined

beforeAll(async () => {
  root = await builtRenderer()
  browser = await launchChromium()
})
afterAll(() => browser.close())
afterEach(async () => {
  const complaints = opened?.complaints ?? []
  await opened?.close()
  await server?.close()
  opened = undefined
  server = undefined
  expect(complaints).toEqual([])
})

async function open(
  scene: Scene,
  options: Parameters<typeof openWindow>[2] = {},
): Promise<{ page: Page; server: CannedServer }> {
  server = await startCannedServer({ root, scene })
  opened = await openWindow(browser, server.url, options)
  return { page: opened.page, server }
}

const row = (page: Page, slug: string) => page.locator(`.row[data-slug="${slug}"]`)
const slugs = (page: Page) =>
  page.locator('.row').evaluateAll((rows) => rows.map((item) => (item as HTMLElement).dataset.slug))
const section = (page: Page, name: string) => page.locator('.sidebar').getByRole('button', { name }).click()
const callsOf = (name: string) => server?.calls.filter((call) => call.call === name) ?? []

describe('accessibility, light and dark,', () => {
  test('of the list and every tab of the detail', async () => {
    const { page } = await open('three')
    for (const tab of ['Overview', 'Terminal', 'Logs', 'Timeline']) {
      await page.getByRole('tab', { name: tab }).click()
      if (tab === 'Terminal') await page.locator('.xterm-screen').waitFor()
      if (tab === 'Timeline') await page.getByRole('treegrid').waitFor()
      expect(await problemsInBothSchemes(page), tab).toEqual([])
    }
  })

  test('of the other screens', async () => {
    const { page } = await open('three')
    for (const name of ['Activity', 'Agents', 'Engines', 'Trash', 'Settings']) {
      await section(page, name)
      await page.getByRole('heading', { level: 1, name }).waitFor()
      expect(await problemsInBothSchemes(page), name).toEqual([])
    }
  })

  test('of the dialogs, the palette and the menu', async () => {
    const { page } = await open('three')
    for (const keys of ['Alt+n', 'Control+d', 'Control+Backspace', 'Control+k', 'Control+Shift+/']) {
      await row(page, 'auth-rewrite').focus()
      await page.keyboard.press(keys)
      await page.locator('.backdrop').waitFor()
      expect(await problemsInBothSchemes(page), keys).toEqual([])
      await page.keyboard.press('Escape')
      await page.locator('.backdrop').waitFor({ state: 'detached' })
    }
    await row(page, 'auth-rewrite').focus()
    await page.keyboard.press('Shift+F10')
    // Before it has its place it covers others.
    await page.locator('[data-placement] [role="menu"]').waitFor()
    expect(await problemsInBothSchemes(page), 'menu').toEqual([])
  })

  test.each(['none', 'missing', 'down'] as const)('of the first screen: %s', async (scene) => {
    const { page } = await open(scene)
    expect(await problemsInBothSchemes(page)).toEqual([])
  })

  test('of the narrow window', async () => {
    const { page } = await open('three', { width: 900, height: 600 })
    expect(await problemsInBothSchemes(page)).toEqual([])
  })
})

describe('another engine', () => {
  test('shows all that is different before it starts', async () => {
    const { page } = await open('engines')
    const slug = 'docs-site'
    await row(page, slug).click()
    await page.keyboard.press('Shift+F10')
    await page.getByRole('menuitem', { name: 'Resume on another engine…' }).click()
    const dialog = page.getByRole('dialog')
    const go = dialog.getByRole('button', { name: /^Resume/ })
    expect(await go.isDisabled()).toBe(true)
    await dialog.getByText('Apple container').click()
    await dialog
      .getByRole('alert')
      .getByText(/runs no others/)
      .waitFor()
    expect(await go.isDisabled()).toBe(true)
    expect(await problemsInBothSchemes(page)).toEqual([])
    await dialog.getByText('This Mac').click()
    await dialog.getByText(/Only \/workspace and \/home\/agent come along/).waitFor()
    expect(await problemsInBothSchemes(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Resume on This Mac' }).click()
    await expect
      .poll(() => callsOf('bottle:resume'))
      .toMatchObject([{ args: { slug, backend: 'host', interactive: true } }])
  })
})

describe('the first screen', () => {
  test.each([
    ['none', 'No bottles yet'],
    ['missing', 'No container engine found'],
    ['down', 'Docker is installed but not running'],
  ] as const)('tells %s apart', async (scene, title) => {
    const { page } = await open(scene)
    await page.getByRole('heading', { name: title }).waitFor()
    expect(await page.getByRole('button', { name: /Try a sample bottle/ }).count()).toBe(1)
  })

  test('starts the sample on this machine', async () => {
    const { page } = await open('missing')
    await page.getByRole('button', { name: /Try a sample bottle/ }).click()
    await expect
      .poll(() => callsOf('bottle:start'))
      .toMatchObject([{ args: { agent: 'sample', backend: 'host' } }])
  })
})

describe('engines', () => {
  test('tell what an old version can not do, and how to install what is not here', async () => {
    const { page } = await open('engines')
    await section(page, 'Engines')
    const apple = page.locator('.card', { hasText: 'Apple container 1.0.0' })
    await apple.getByRole('list', { name: 'What this version can’t do' }).waitFor()
    expect(await apple.textContent()).toContain('Freezing has to stop a running bottle')
    const absent = page.locator('.absent-engines .card')
    expect(await absent.count()).toBe(1)
    expect(await absent.textContent()).toContain('another one of that name')
    await absent.getByRole('button', { name: 'Copy' }).waitFor()
    expect(await page.locator('.status-engine').allTextContents()).toEqual([
      'Docker not running',
      'This machine',
      'Apple container 1.0.0',
    ])
    expect(await accessibilityProblems(page)).toEqual([])
  })

  test.each([
    ['Cancel', false],
    ['Stop and freeze', true],
  ])('a bottle is stopped for its freeze only after a yes: %s', async (button, agree) => {
    const { page, server } = await open('engines')
    const task = server.state().tasks.find(({ id }) => id === 't3')
    if (!task) throw new Error('no task')
    const question = 'Apple container 1.0.0 can’t export a container that runs.'
    server.push([{ entity: 'task', key: 't3', value: { ...task, question } }])
    const sheet = page.getByRole('alertdialog', { name: 'Stop api-pagination to freeze it?' })
    await sheet.getByText(question).waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
    // What a hasty Enter presses changes nothing.
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Cancel')
    await sheet.getByRole('button', { name: button, exact: true }).click()
    await expect.poll(() => callsOf('task:answer')).toMatchObject([{ args: { taskId: 't3', agree } }])
    server.push([{ entity: 'task', key: 't3', value: { ...task, question: null } }])
    await sheet.waitFor({ state: 'detached' })
  })
})

describe('the list', () => {
  test('is operated by keyboard alone', async () => {
    const { page } = await open('three')
    await row(page, 'auth-rewrite').focus()
    await page.keyboard.press('ArrowDown')
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-slug')))
      .toBe('flaky-tests')
    await page.locator('.detail').getByRole('heading', { name: 'flaky-tests' }).waitFor()
    await page.keyboard.press('End')
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-slug')))
      .toBe('scratch')
    await page.keyboard.press('Home')
    await page.keyboard.press('x')
    await page.keyboard.press('Shift+ArrowDown')
    await page.getByText('2 selected').waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.bulk').waitFor({ state: 'detached' })
    await page.keyboard.press('Space')
    await page.locator('.detail').waitFor({ state: 'detached' })
    await page.keyboard.press('Space')
    await page.keyboard.press('Control+Shift+f')
    await expect.poll(() => callsOf('bottle:freeze')).toMatchObject([{ args: { slug: 'flaky-tests' } }])
  })

  test('filters by search and by tab, and the filter can be cleared', async () => {
    const { page } = await open('three')
    await page.keyboard.press('Control+f')
    await page.keyboard.type('codex')
    await expect.poll(() => slugs(page)).toEqual(['api-pagination'])
    await page.keyboard.type('zzz')
    await page.getByRole('heading', { name: 'No bottle matches' }).waitFor()
    await page.getByRole('button', { name: 'Clear filter' }).last().click()
    await expect.poll(() => page.locator('.row').count()).toBe(8)
    await page.locator('.tabs label', { hasText: 'Waiting for you' }).click()
    await expect.poll(() => slugs(page)).toEqual(['auth-rewrite'])
  })

  test('holds 500 bottles and keeps few of them in the page', async () => {
    const { page } = await open('many')
    await page.getByRole('grid').waitFor()
    expect(await page.locator('.row').count()).toBeLessThan(40)
    expect(await page.getByRole('grid').getAttribute('aria-rowcount')).toBe('501')
    await page.locator('.row[tabindex="0"]').focus()
    await page.keyboard.press('End')
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex')))
      .toBe('501')
  })

  test('shows what a task does in its row and cancels it in place', async () => {
    const { page } = await open('three')
    const frozen = row(page, 'api-pagination')
    await frozen.getByText('Freezing…').waitFor()
    await frozen.click()
    await page.locator('.task-strip').getByText('62 %').waitFor()
    await page.locator('.task-strip').getByRole('button', { name: 'Cancel' }).click()
    await expect.poll(() => callsOf('task:cancel')).toMatchObject([{ args: { taskId: 't3' } }])
  })
})

describe('state', () => {
  test('that arrives shows at once; after a gap it is read anew', async () => {
    const { page, server } = await open('three')
    server.push([{ entity: 'bottle', key: 'fresh', value: bottle({ slug: 'fresh' }) }])
    await row(page, 'fresh').waitFor()
    server.push([{ entity: 'bottle', key: 'missed', value: bottle({ slug: 'missed' }) }], { isLost: true })
    server.push([{ entity: 'bottle', key: 'fresh', value: null }])
    await row(page, 'missed').waitFor()
    await row(page, 'fresh').waitFor({ state: 'detached' })
  })

  test('stays in sight while the connection is lost, and is read anew when it is back', async () => {
    const { page, server } = await open('three')
    server.drop()
    await page.getByRole('alert').filter({ hasText: 'The connection to Icebox was lost' }).waitFor()
    await row(page, 'auth-rewrite').waitFor()
    server.push([{ entity: 'bottle', key: 'meanwhile', value: bottle({ slug: 'meanwhile' }) }])
    server.restore()
    await row(page, 'meanwhile').waitFor({ timeout: 15_000 })
    await page.getByText('The connection to Icebox was lost').waitFor({ state: 'detached' })
  })
})

describe('destroying', () => {
  test('asks with name, size and age, freezes first by default, and can be undone', async () => {
    const { page } = await open('three')
    await row(page, 'auth-rewrite').click()
    await page.keyboard.press('Control+Backspace')
    const dialog = page.getByRole('alertdialog', { name: 'Destroy auth-rewrite?' })
    await dialog.getByText('1.2 GB').waitFor()
    await dialog.getByText(/\d+ min ago/).waitFor()
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.textContent))
      .toBe('Freeze, then destroy')
    await page.keyboard.press('Enter')
    await row(page, 'auth-rewrite').waitFor({ state: 'detached' })
    expect(callsOf('bottle:destroy')).toMatchObject([{ args: { slug: 'auth-rewrite', freeze: true } }])
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
    await row(page, 'auth-rewrite').waitFor()
    await page.getByText('auth-rewrite is back').first().waitFor()
  })

  test('from the palette needs a second Enter', async () => {
    const { page } = await open('three')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('destroy billing')
    await page.getByRole('option', { name: 'Destroy billing-spike' }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('option', { name: 'Press Enter again: Destroy billing-spike' }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('alertdialog', { name: 'Destroy billing-spike?' }).waitFor()
    expect(callsOf('bottle:destroy')).toEqual([])
  })

  test('is what Enter is for, though the list is not drawn yet', async () => {
    const { page } = await open('three')
    await page.keyboard.press('Control+k')
    const search = page.getByRole('combobox', { name: 'Command palette' })
    await search.evaluate(async (input: HTMLInputElement) => {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(
        input,
        'destroy billing',
      )
      input.dispatchEvent(new Event('input', { bubbles: true }))
      // What was typed is known after this; the list is drawn in a later task.
      await Promise.resolve()
      input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }))
    })
    await page.getByRole('option', { name: 'Press Enter again: Destroy billing-spike' }).waitFor()
  })
})

describe('a new bottle', () => {
  test('keeps what was typed when the start fails, and shows why', async () => {
    const { page, server } = await open('three')
    server.fail(
      'bottle:start',
      failure('image-missing', 'The image x is not there.', { detail: 'No such image' }),
    )
    await page.getByRole('button', { name: 'New bottle' }).click()
    const prompt = page.getByRole('textbox', { name: 'Prompt' })
    await prompt.fill('Mend the build')
    await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click()
    await page.getByText('The image x is not there.').waitFor()
    expect(await prompt.inputValue()).toBe('Mend the build')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'New bottle' }).click()
    expect(await prompt.inputValue()).toBe('Mend the build')
    server.fail('bottle:start', null)
    await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click()
    await expect
      .poll(() => callsOf('bottle:start').at(-1))
      .toMatchObject({
        args: { agent: 'implementer', prompt: 'Mend the build', interactive: false },
      })
  })

  test('can be tried without doing it', async () => {
    const { page } = await open('three')
    await page.getByRole('button', { name: 'New bottle' }).click()
    await page.getByRole('button', { name: 'Dry run' }).click()
    await page.getByRole('heading', { name: 'What a start would do' }).waitFor()
    await page.getByText('ghcr.io/acme/dev:3').waitFor()
    expect(callsOf('bottle:start')).toEqual([])
  })
})

test('the logs follow, keep colours and can be searched', async () => {
  const { page, server } = await open('three')
  await page.getByRole('tab', { name: 'Logs' }).click()
  await expect.poll(() => server.isOpen('logs')).toBe(true)
  server.stream(
    'logs',
    `${Array.from({ length: 500 }, (_, index) => `line ${index}`).join('\n')}\n\u001b[31mboom\u001b[0m\n`,
  )
  await page.locator('.log-line .ansi-1', { hasText: 'boom' }).waitFor()
  await page.getByLabel('Search the output').fill('line 42')
  await page.getByText('11 of 11').waitFor()
  await page.keyboard.press('Enter')
  await page.getByText('1 of 11').waitFor()
  await page.locator('.log-line[data-hit]', { hasText: 'line 42' }).waitFor()
})

test('a note is written in the timeline', async () => {
  const { page } = await open('three')
  await page.getByRole('tab', { name: 'Timeline' }).click()
  const moment = page.getByRole('row', { name: /tests green/ })
  await moment.hover()
  await moment.getByRole('button', { name: 'Edit note' }).click()
  await page.getByLabel('Note', { exact: true }).fill('all green')
  await page.keyboard.press('Enter')
  await expect
    .poll(() => callsOf('snapshot:edit'))
    .toMatchObject([{ args: { slug: 'auth-rewrite', note: 'all green' } }])
})
