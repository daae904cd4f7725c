import type { Browser, Page } from 'playwright'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Task } from '../../src-preload/contract/entities.ts'
import { failure } from '../../src-preload/contract/errors.ts'
import { accessibilityProblems, problemsInBothSchemes } from '../support/accessibility.ts'
import { bottle } from '../support/canned/data.ts'
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
const tab = (page: Page, name: string) => page.getByRole('tab', { name }).click()
const section = (page: Page, name: string) => page.locator('.sidebar').getByRole('button', { name }).click()

/** Ends the last task of a kind as the server would. */
function endTask(kind: Task['kind'], change: Partial<Task>): void {
  const task = server.state().tasks.findLast((item) => item.kind === kind)
  if (!task) throw new Error(`no task ${kind}`)
  const value: Task = { ...task, state: 'done', endedAt: new Date().toISOString(), ...change }
  server.push([{ entity: 'task', key: task.id, value }])
}

/** Opens the menu of the snapshot with that note and chooses. */
async function choose(page: Page, note: RegExp, item: string): Promise<void> {
  await tab(page, 'Timeline')
  const moment = page.getByRole('row', { name: note })
  await moment.hover()
  await moment.getByRole('button', { name: 'More for this snapshot' }).click()
  await page.getByRole('menuitem', { name: item }).click()
}

describe('accessibility, light and dark,', () => {
  test('of the changes, in every part', async () => {
    const page = await open()
    await tab(page, 'Changes')
    await page.getByRole('tree').waitFor()
    for (const part of ['Files', 'Packages', 'Config', 'Volumes']) {
      await page.locator('.changes-parts label', { hasText: part }).click()
      expect(await problemsInBothSchemes(page), part).toEqual([])
    }
  })

  test('of the space screen and what thins it out', async () => {
    const page = await open()
    await section(page, 'Space')
    await page.locator('.space-bar').waitFor()
    expect(await problemsInBothSchemes(page), 'space').toEqual([])
    await page.getByRole('button', { name: 'Thin out…' }).click()
    await page.getByText('These go to the trash').waitFor()
    expect(await problemsInBothSchemes(page), 'thin').toEqual([])
  })

  test.each(['Export…', 'Push to a registry…', 'Delete…'])('of the dialog %s', async (item) => {
    const page = await open()
    await choose(page, /before schema change/, item)
    await page.locator('.dialog').waitFor()
    expect(await problemsInBothSchemes(page)).toEqual([])
  })

  test('of the secrets, the file and the pull', async () => {
    const page = await open()
    await page.locator('.row[data-slug="auth-rewrite"]').click()
    await page.keyboard.press('Control+e')
    await page.getByRole('dialog').getByRole('button', { name: 'Export' }).click()
    await expect.poll(() => callsOf('artifact:export').length).toBe(1)
    endTask('export', { state: 'failed', error: failure('secrets-found') })
    await page.getByRole('alertdialog', { name: 'Secrets were found' }).waitFor()
    expect(await problemsInBothSchemes(page), 'secrets').toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Import or pull' }).click()
    await page.getByRole('menuitem', { name: 'Pull from a registry…' }).click()
    await page.getByRole('dialog').waitFor()
    expect(await problemsInBothSchemes(page), 'pull').toEqual([])
  })
})

describe('an export', () => {
  test('says what goes in, runs as a task, and is saved when it is ready', async () => {
    const page = await open()
    await choose(page, /context 60 %/, 'Export…')
    const dialog = page.getByRole('dialog', { name: 'Export auth-rewrite' })
    await dialog.getByText('bind mount /var/cache').waitFor()
    await dialog.getByText('Only what is above the base image').click()
    await dialog.getByText('zstd').click()
    await dialog.getByRole('button', { name: 'Export' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(callsOf('artifact:export')).toMatchObject([
      { args: { slug: 'auth-rewrite', compression: 'zstd', thin: true } },
    ])
    await page.locator('.task-strip').getByText('Exporting').waitFor()
    // It only reads, so everything else can still be done.
    expect(await page.locator('.detail-actions').getByRole('button', { name: 'Freeze' }).isEnabled()).toBe(
      true,
    )
    const saving = page.waitForEvent('download')
    endTask('export', { message: 'Exported auth-rewrite.' })
    expect((await saving).suggestedFilename()).toBe('canned.bottle')
  })

  test('with secrets asks, and goes on as answered', async () => {
    const page = await open()
    await page.locator('.row[data-slug="auth-rewrite"]').click()
    await page.keyboard.press('Control+e')
    await page.getByRole('dialog').getByRole('button', { name: 'Export' }).click()
    await expect.poll(() => callsOf('artifact:export').length).toBe(1)
    endTask('export', { state: 'failed', error: failure('secrets-found') })
    const asked = page.getByRole('alertdialog', { name: 'Secrets were found' })
    await asked.getByText('/home/agent/.npmrc').waitFor()
    await asked.getByText('in the base image').waitFor()
    expect(await page.locator('.toast').count()).toBe(0)
    await asked.getByRole('button', { name: 'Strip and go on' }).click()
    await expect.poll(() => callsOf('artifact:export').at(-1)).toMatchObject({ args: { scrub: 'strip' } })
  })

  test('that another page asked for is offered, not saved', async () => {
    const page = await open()
    server.push([
      {
        entity: 'task',
        key: 'other',
        value: { ...running('export'), id: 'other', slug: 'docs-site' },
      },
    ])
    endTask('export', {})
    const saving = page.waitForEvent('download')
    await page.locator('.toast').getByRole('button', { name: 'Download' }).click()
    await saving
  })
})

const running = (kind: Task['kind']): Task => ({
  id: kind,
  kind,
  slug: null,
  state: 'running',
  progress: null,
  question: null,
  startedAt: new Date().toISOString(),
  endedAt: null,
  error: null,
  message: null,
})

describe('a file that is dropped', () => {
  const drag = (page: Page, event: string, hasFile = true) =>
    page.evaluate(
      ([name, withFile]) => {
        const data = new DataTransfer()
        if (withFile) data.items.add(new File(['artifact'], 'web.bottle'))
        else data.setData('text/plain', 'words')
        const made = new DragEvent(name as string, { dataTransfer: data, bubbles: true, cancelable: true })
        document.querySelector('.list')?.dispatchEvent(made)
        return made.defaultPrevented
      },
      [event, hasFile] as const,
    )

  test('is imported, and the new bottle is shown', async () => {
    const page = await open()
    await drag(page, 'dragenter')
    await page.getByText('Drop to import').waitFor()
    expect(await drag(page, 'dragover')).toBe(true)
    expect(await drag(page, 'drop')).toBe(true)
    await page.getByText('Drop to import').waitFor({ state: 'detached' })
    await expect.poll(() => server.uploads).toEqual([{ method: 'PUT', bytes: 8 }])
    expect(callsOf('artifact:import')).toMatchObject([{ args: { fileName: 'web.bottle', bytes: 8 } }])
    const sheet = page.getByRole('dialog', { name: 'Import 1 file' })
    await sheet.getByText('web.bottle').waitFor()
    expect(await accessibilityProblems(page), 'while it runs').toEqual([])
    const row = bottle({
      slug: 'web',
      state: 'frozen',
      snapshots: 1,
      currentSnapshot: '20261121T061500Z-a006',
    })
    server.push([{ entity: 'bottle', key: 'web', value: row }])
    endTask('import', { slug: 'web', message: 'Imported web. The name app is taken.' })
    await sheet.getByText('Every file was compared with its digest').waitFor()
    await sheet.getByText('The name app is taken.').waitFor()
    await sheet.getByText('Files').first().waitFor()
    expect(await page.locator('.toast').count()).toBe(0)
    expect(await accessibilityProblems(page), 'when it is done').toEqual([])
    await sheet.getByRole('button', { name: 'Show' }).click()
    await page.locator('.detail').getByRole('heading', { name: 'web' }).waitFor()
  })

  test('and refused shows the sentence', async () => {
    const page = await open()
    await drag(page, 'drop')
    await expect.poll(() => server.uploads.length).toBe(1)
    const error = failure('artifact-invalid', 'The entry “../../etc/cron.d/x” would leave the bottle.')
    endTask('import', { state: 'failed', error })
    const sheet = page.getByRole('dialog', { name: 'Import 1 file' })
    await sheet.getByText('would leave the bottle').waitFor()
    await sheet.getByRole('button', { name: 'Done' }).click()
    await sheet.waitFor({ state: 'detached' })
  })

  test('below a dialog that somebody is in is told by a toast', async () => {
    const page = await open()
    await page.keyboard.press('Control+n')
    await page.getByRole('dialog', { name: 'New bottle' }).waitFor()
    await drag(page, 'drop')
    await expect.poll(() => server.uploads.length).toBe(1)
    endTask('import', { state: 'failed', error: failure('artifact-invalid', 'It breaks off.') })
    await page.locator('.toast.bad').getByText('It breaks off.').waitFor()
    await page.getByRole('dialog', { name: 'New bottle' }).waitFor()
  })

  test('text is left to the browser', async () => {
    const page = await open()
    expect(await drag(page, 'dragover', false)).toBe(false)
    await drag(page, 'dragenter', false)
    expect(await page.getByText('Drop to import').count()).toBe(0)
  })

  test('the picker does the same', async () => {
    const page = await open()
    const choosing = page.waitForEvent('filechooser')
    await page.keyboard.press('Control+k')
    await page.keyboard.type('import a file')
    await page.keyboard.press('Enter')
    await (await choosing).setFiles({
      name: 'a.bottle',
      mimeType: 'application/x-tar',
      buffer: Buffer.from('abc'),
    })
    await expect.poll(() => server.uploads).toEqual([{ method: 'PUT', bytes: 3 }])
  })
})

describe('the changes', () => {
  test('compare with now at first, and with what is chosen', async () => {
    const page = await open()
    await tab(page, 'Changes')
    await page.getByRole('tree').waitFor()
    expect(callsOf('snapshot:diff')).toMatchObject([
      { args: { to: { slug: 'auth-rewrite', snapshot: null } } },
    ])
    await page
      .locator('.changes-point', { hasText: 'To' })
      .getByRole('combobox')
      .selectOption({ label: 'start' })
    await expect.poll(() => callsOf('snapshot:diff').length).toBe(2)
    expect(callsOf('snapshot:diff').at(-1)?.args).toMatchObject({ to: { snapshot: expect.any(String) } })
  })

  test('are walked by keyboard, down to the text of a file', async () => {
    const page = await open()
    await tab(page, 'Changes')
    await page.getByRole('treeitem').first().focus()
    const name = () => page.evaluate(() => document.activeElement?.getAttribute('title'))
    expect(await name()).toBe('/workspace/shop')
    await page.keyboard.press('ArrowRight')
    expect(await name()).toBe('/workspace/shop/node_modules')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    expect(await name()).toMatch(/^\/workspace\/shop\/src\//)
    await page.keyboard.press('ArrowLeft')
    expect(await name()).toBe('/workspace/shop/src')
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowDown')
    expect(await name()).toBe('/workspace/shop/package.json')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: '/workspace/shop/package.json' })
    await dialog.locator('.diff-line.add', { hasText: 'Whole cents' }).waitFor()
    expect(callsOf('snapshot:diff-file')).toMatchObject([{ args: { path: '/workspace/shop/package.json' } }])
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  })

  test('of a snapshot are reached from its menu, and a failure tells why', async () => {
    const page = await open()
    server.fail('snapshot:diff', failure('engine-down', 'Docker does not answer.'))
    await choose(page, /before schema change/, 'Compare with now')
    await page.getByText('Docker does not answer.').waitFor()
    server.fail('snapshot:diff', null)
    await page.getByRole('button', { name: 'Compare again' }).click()
    await page.getByRole('tree').waitFor()
  })
})

describe('a snapshot', () => {
  test('shows its proof, and is verified on request', async () => {
    const page = await open()
    await tab(page, 'Timeline')
    const proven = page.getByRole('row', { name: /before schema change/ }).locator('.badge.run')
    expect(await proven.getAttribute('title')).toMatch(/^Verified 2 h ago\. npm test ended with 0\.$/)
    await page
      .getByRole('row', { name: /try with sessions/ })
      .getByText('check failed')
      .waitFor()
    await choose(page, /tests green/, 'Verify')
    await expect.poll(() => callsOf('snapshot:verify').length).toBe(1)
    const error = failure('verify-failed', 'It did not pass: npm test ended with 1.')
    endTask('verify', { state: 'failed', error })
    await page.locator('.toast.bad').getByText('npm test ended with 1.').waitFor()
  })

  test('is deleted after a second look when it is pinned, with what that frees in view', async () => {
    const page = await open()
    await choose(page, /before schema change/, 'Delete…')
    const dialog = page.getByRole('alertdialog', { name: 'Delete this snapshot?' })
    await dialog.getByText(/It waits in the trash/).waitFor()
    const submit = dialog.getByRole('button', { name: 'Delete', exact: true })
    expect(await submit.isDisabled()).toBe(true)
    await dialog.getByLabel('It is pinned. Delete it all the same').check()
    await submit.click()
    await expect.poll(() => callsOf('snapshot:delete').length).toBe(1)
    await choose(page, /context 60 %/, 'Delete…')
    await dialog.getByText(/Deleting it frees|can’t be told/).waitFor()
    expect(await submit.isDisabled()).toBe(false)
  })

  test('is pushed where one says', async () => {
    const page = await open()
    await choose(page, /tests green/, 'Push to a registry…')
    const dialog = page.getByRole('dialog', { name: 'Push auth-rewrite' })
    expect(await dialog.getByRole('button', { name: 'Push' }).isDisabled()).toBe(true)
    server.fail('artifact:push', failure('usage', 'That is no reference.'))
    await dialog.getByLabel('To').fill('registry.example/team/auth:1')
    await page.keyboard.press('Enter')
    await dialog.getByText('That is no reference.').waitFor()
    server.fail('artifact:push', null)
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    expect(callsOf('artifact:push').at(-1)).toMatchObject({
      args: { slug: 'auth-rewrite', reference: 'registry.example/team/auth:1' },
    })
  })
})

test('space is thinned out only after a look at what goes', async () => {
  const page = await open()
  await section(page, 'Space')
  await page.getByRole('button', { name: 'Thin out…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Thin out old snapshots' })
  await dialog.getByText('older than 4 weeks').waitFor()
  expect(callsOf('space:prune')).toMatchObject([{ args: { dryRun: true } }])
  await dialog.getByRole('button', { name: 'Thin out now' }).click()
  await dialog.waitFor({ state: 'detached' })
  expect(callsOf('space:prune')).toMatchObject([{ args: { dryRun: true } }, { args: { dryRun: false } }])
})

test('what stays when snapshots are thinned out is set by number, and no half-typed one counts', async () => {
  const page = await open()
  await section(page, 'Settings')
  const field = page.getByLabel('One of each day, for so many days')
  await field.fill('7x')
  await field.blur()
  expect(await field.inputValue()).toBe('14')
  await field.fill('7')
  await page.keyboard.press('Enter')
  await page.getByRole('switch', { name: 'Thin out after every freeze' }).click()
  await expect
    .poll(() => callsOf('settings:set').map((call) => call.args))
    .toEqual([
      { key: 'retentionDaily', value: 7 },
      { key: 'autoThin', value: true },
    ])
})
