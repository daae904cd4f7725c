import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Locator, Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import { exportTo } from '../support/artifact-trip.ts'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'
import { HOSTILE_CASES } from '../support/hostile/cases.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

const WITHIN = { timeout: 30_000, interval: 50 }

let tests: TestBottles
/** Another state root: what is dragged out of the first has to be of use there. */
let elsewhere: TestBottles
let app: DesktopApp
let page: Page
let good: string

beforeAll(async () => {
  tests = await makeTestBottles('backend: host')
  elsewhere = await makeTestBottles('backend: host')
  for (const name of ['one', 'two', 'three', 'leaky']) {
    await tests.run(`echo ${name} > mark`, name)
    if (name !== 'leaky') await tests.icebox.bottles.freeze({ slug: name }, tests.context())
  }
  good = join(elsewhere.home.dir, 'brought in.bottle')
  await exportTo(tests, 'three', good)
  app = await launchDesktop({ home: tests.home.dir })
  page = await app.page()
  await bottleRow('one').waitFor()
})
afterAll(async () => {
  const complaints = app.complaints
  await app.close()
  await elsewhere.dispose()
  await tests.dispose()
  expect(complaints).toEqual([])
})

const bottleRow = (slug: string): Locator => page.locator(`.row[data-slug="${slug}"]`)
const cache = () => join(tests.home.dir, 'icebox', 'drag')
const drags = async () => (await app.records()).drags
async function drag(row: Locator, before: number) {
  await app.dragFrom(row)
  return vi.waitFor(async () => {
    const { drags: all, refusedDrags } = await app.records()
    expect(refusedDrags).toEqual([])
    if (all.length <= before) throw new Error('nothing was dragged')
    return all[before]
  }, WITHIN)
}
const send = (tokens: unknown) =>
  page.evaluate(
    (words) => (window as unknown as { icebox: IceboxBridge }).icebox.desktop?.startDrag(words as never),
    tokens,
  )
const call = (name: string, args: unknown) =>
  page.evaluate(
    ([which, given]) =>
      (window as unknown as { icebox: IceboxBridge }).icebox.call(which as never, given as never),
    [name, args] as const,
  ) as Promise<{ readonly ok: boolean; readonly value?: Readonly<Record<string, unknown>> }>
async function closeToasts(): Promise<void> {
  const close = page.locator('.toast').getByRole('button', { name: 'Close' })
  while ((await close.count()) > 0) await close.first().click()
}
async function timeline(slug: string): Promise<Locator> {
  await bottleRow(slug).click()
  await page.getByRole('tab', { name: 'Timeline' }).click()
  return page
    .getByRole('treegrid', { name: `Snapshots of ${slug}, newest first` })
    .getByRole('row', { name: /by you/ })
}

test('a node of the timeline is made ready under the pointer, and its file is a bottle elsewhere', async () => {
  const node = await timeline('one')
  await node.hover()
  await node.getByRole('img', { name: /^Drag it out/ }).waitFor(WITHIN)
  expect(await page.locator('.toast').count()).toBe(0)
  const found = await drag(node, (await drags()).length)
  const [file = ''] = found?.files ?? []
  expect(found?.files).toHaveLength(1)
  expect(file.startsWith(cache() + sep)).toBe(true)
  expect(file).toMatch(/\/[0-9a-f]{40}\/one-\d{8}T\d{6}Z-\w{4}\.bottle$/)
  expect(found?.icon).toEqual({ width: 64, height: 64 })
  const imported = await elsewhere.icebox.artifacts.import({ file }, {}, elsewhere.context())
  const dir = elsewhere.icebox.root.path('state', imported.slug, 'snapshots', `${imported.snapshot}.d`)
  const held = await readdir(dir, { recursive: true })
  const mark = held.find((name) => name.endsWith(`${sep}mark`)) ?? ''
  expect(await readFile(join(dir, mark), 'utf8')).toBe('one\n')
})

test('a cold one is not dragged, which is said; the next drag hands it over', async () => {
  const before = (await drags()).length
  await app.dragFrom(bottleRow('two'))
  await page.locator('.toast').getByText('two is being made ready').waitFor(WITHIN)
  await page.locator('.toast').getByText('two can be dragged now').waitFor(WITHIN)
  expect(await drags()).toHaveLength(before)
  expect((await app.records()).refusedDrags).toEqual([])
  const found = await drag(bottleRow('two'), before)
  expect((await stat(found?.files[0] ?? '')).size).toBeGreaterThan(1000)
  await closeToasts()
})

test('several ticked bottles are dragged together, with the picture of a stack', async () => {
  const before = (await drags()).length
  for (const slug of ['one', 'two']) await bottleRow(slug).getByRole('checkbox').check()
  for (const slug of ['one', 'two'])
    await bottleRow(slug)
      .getByRole('img', { name: /^Drag it out/ })
      .waitFor(WITHIN)
  const found = await drag(bottleRow('two'), before)
  const names = found?.files.map((file) => file.split(sep).at(-1)?.split('-')[0])
  expect(names?.sort()).toEqual(['one', 'two'])
  for (const slug of ['one', 'two']) await bottleRow(slug).getByRole('checkbox').uncheck()
})

describe('a token', () => {
  test.each([
    ['that was made up', ['x'.repeat(43)]],
    ['that is a path', ['/etc/passwd']],
    ['beside others that are none', ['x'.repeat(43), 7]],
    ['in no list', '/etc/passwd'],
    ['of nothing', []],
    ['in a list without end', Array.from({ length: 5000 }, (_, at) => String(at))],
  ])('%s drags nothing', async (_what, tokens) => {
    const before = (await drags()).length
    await send(tokens)
    // A call after it has been answered: main has seen the drag by then.
    await call('settings:get', {})
    expect(await drags()).toHaveLength(before)
  })

  test('of a file that was taken away is refused, and it is made anew', async () => {
    const snapshot = (await tests.icebox.bottles.snapshots('one'))[0]?.id ?? ''
    const first = await call('artifact:prepare', { slug: 'one', snapshot })
    expect(first.value).toMatchObject({ state: 'ready' })
    expect(JSON.stringify(first)).not.toContain(tests.home.dir)
    for (const name of await readdir(cache())) await rm(join(cache(), name), { recursive: true })
    const again = await call('artifact:prepare', { slug: 'one', snapshot })
    expect(again.value).toMatchObject({ state: 'preparing' })
    await vi.waitFor(async () => {
      const { value } = await call('artifact:prepare', { slug: 'one', snapshot })
      expect(value).toMatchObject({ state: 'ready' })
    }, WITHIN)
  })

  test('ends with its snapshot', async () => {
    await tests.resume('three', 'echo more > mark')
    const frozen = await tests.icebox.bottles.freeze({ slug: 'three' }, tests.context())
    const [older] = (await tests.icebox.bottles.snapshots('three')).filter(
      ({ id }) => id !== frozen.snapshot.id,
    )
    const target = { slug: 'three', snapshot: older?.id ?? '' }
    const token = await vi.waitFor(async () => {
      const { value } = await call('artifact:prepare', target)
      expect(value).toMatchObject({ state: 'ready' })
      return value?.token
    }, WITHIN)
    const files = (await readdir(cache())).length
    await call('snapshot:delete', target)
    await vi.waitFor(async () => expect((await readdir(cache())).length).toBe(files - 2), WITHIN)
    const before = (await drags()).length
    await send([token])
    await call('settings:get', {})
    expect(await drags()).toHaveLength(before)
    await closeToasts()
  })
})

test('secrets are asked about before anything leaves, and stripped when that is chosen', async () => {
  const secret = `ghp_${createHash('sha1').update(tests.home.dir).digest('hex').slice(0, 36)}`
  await tests.resume('leaky', `echo token=${secret} > notes.txt`)
  await tests.icebox.bottles.freeze({ slug: 'leaky' }, tests.context())
  await bottleRow('leaky')
    .locator('.cell-snapshots', { hasText: '2' })
    .waitFor({ ...WITHIN, state: 'attached' })
  const before = (await drags()).length
  await app.dragFrom(bottleRow('leaky'))
  const asked = page.getByRole('alertdialog', { name: 'Secrets were found' })
  await asked.getByText('notes.txt').waitFor(WITHIN)
  expect(await drags()).toHaveLength(before)
  await asked.getByRole('button', { name: 'Strip and go on' }).click()
  await bottleRow('leaky')
    .getByRole('img', { name: /^Drag it out/ })
    .waitFor(WITHIN)
  const found = await drag(bottleRow('leaky'), before)
  const file = found?.files[0] ?? ''
  const imported = await elsewhere.icebox.artifacts.import({ file }, {}, elsewhere.context())
  const dir = elsewhere.icebox.root.path('state', imported.slug, 'snapshots', `${imported.snapshot}.d`)
  const notes = (await readdir(dir, { recursive: true })).find((name) => name.endsWith('notes.txt'))
  const text = notes ? await readFile(join(dir, notes), 'utf8') : ''
  expect(text).not.toContain(secret)
  await closeToasts()
})

describe('Save As', () => {
  const exported = async (slug: string): Promise<void> => {
    const node = await timeline(slug)
    await node.hover()
    await node.getByRole('button', { name: 'More for this snapshot' }).click()
    await page.getByRole('menuitem', { name: 'Export…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Export' }).click()
  }
  const asked = (count: number) =>
    vi.waitFor(async () => {
      const saves = (await app.records()).dialogs.filter(({ kind }) => kind === 'save')
      expect(saves).toHaveLength(count)
      return saves.at(-1)
    }, WITHIN)

  test('asks where, writes the whole file there, and nothing when it is cancelled', async () => {
    const place = join(elsewhere.home.dir, 'saved')
    await mkdir(place)
    await exported('two')
    const dialog = await asked(1)
    expect(String(dialog?.options.defaultPath)).toMatch(/two-\d{8}T\d{6}Z-\w{4}\.bottle$/)
    await app.answerDialog({ paths: [join(place, 'mine.bottle')] })
    await page.locator('.toast').getByText('Saved').waitFor(WITHIN)
    expect(await readdir(place)).toEqual(['mine.bottle'])
    const imported = await elsewhere.icebox.artifacts.import(
      { file: join(place, 'mine.bottle') },
      {},
      elsewhere.context(),
    )
    expect(imported.slug).toMatch(/^two/)
    await closeToasts()

    await exported('two')
    await asked(2)
    await app.answerDialog({ paths: null })
    expect(await readdir(place)).toEqual(['mine.bottle'])

    await exported('two')
    await asked(3)
    await app.answerDialog({ paths: [join(place, 'no such folder', 'x.bottle')] })
    await page.locator('.toast.bad').getByText('That folder is not there any more.').waitFor(WITHIN)
    expect(await readdir(place)).toEqual(['mine.bottle'])
    await closeToasts()
  })
})

describe('files that come in', () => {
  const slugs = async () =>
    (await tests.icebox.bottles.list(new AbortController().signal)).map(({ slug }) => slug)

  test('a good and a hostile one are dropped: one is a bottle, the other is refused and nothing of it stays', async () => {
    const before = (await slugs()).length
    const hostile = HOSTILE_CASES.find(({ name }) => /\.\./.test(name)) ?? HOSTILE_CASES[0]
    const bad = join(elsewhere.home.dir, 'hostile.bottle')
    await writeFile(bad, hostile?.build() ?? '')
    await app.dropFiles([good, bad])
    const sheet = page.getByRole('dialog', { name: 'Import 2 files' })
    await sheet.getByText('brought in.bottle').waitFor(WITHIN)
    await sheet.getByText('Every file was compared with its digest').waitFor(WITHIN)
    await sheet
      .locator('[data-state="failed"]')
      .getByText(hostile?.reason ?? '')
      .waitFor(WITHIN)
    await sheet.locator('.import-facts').getByText('three').first().waitFor(WITHIN)
    await sheet.getByRole('button', { name: 'Done' }).click()
    expect((await slugs()).length).toBe(before + 1)
    expect(await page.locator('.toast').count()).toBe(0)
  })

  test('the system opens one with the app', async () => {
    const before = (await slugs()).length
    await app.openFile(good)
    await page
      .locator('.toast')
      .getByText(/ imported$/)
      .waitFor(WITHIN)
    expect((await slugs()).length).toBe(before + 1)
    await closeToasts()
    await app.openFile(join(elsewhere.home.dir, 'gone.bottle'))
    await page.locator('.toast.bad').getByText('gone.bottle is not there any more').waitFor(WITHIN)
    await mkdir(join(elsewhere.home.dir, 'folder.bottle'))
    await app.openFile(join(elsewhere.home.dir, 'folder.bottle'))
    await page.locator('.toast.bad').getByText('folder.bottle is a folder').waitFor(WITHIN)
    expect((await slugs()).length).toBe(before + 1)
    await closeToasts()
  })

  test('the dialog of the system asks for them', async () => {
    const before = (await slugs()).length
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Command palette' }).fill('import a file')
    await page.keyboard.press('Enter')
    await app.answerDialog({ paths: [good] })
    const sheet = page.getByRole('dialog', { name: 'Import 1 file' })
    await sheet.getByText('Every file was compared with its digest').waitFor(WITHIN)
    await sheet.getByRole('button', { name: 'Done' }).click()
    expect((await slugs()).length).toBe(before + 1)
  })
})
