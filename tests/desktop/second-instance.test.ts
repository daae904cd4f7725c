import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StateSnapshot } from '../../src-preload/contract/index.ts'
import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'

type Win = { readonly icebox: IceboxBridge }

let top: string
let app: DesktopApp

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'icebox-second-'))
  await Promise.all(
    ['first', 'second', 'mine'].map((name) => writeFile(join(top, `${name}.bottle`), 'no archive')),
  )
  app = await launchDesktop({
    home: join(top, 'home'),
    args: ['icebox://section/engines', join(top, 'first.bottle'), '--unknown', 'icebox://freeze/web'],
  })
})
afterAll(async () => {
  await app?.close()
  await rm(top, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

const section = async () => {
  const page = await app.page()
  return page.locator('.sidebar-entry[aria-current=page] .sidebar-word').textContent()
}
const state = async (): Promise<StateSnapshot> => {
  const page = await app.page()
  const result = await page.evaluate(() => (window as unknown as Win).icebox.call('state:snapshot', {}))
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}
const imports = async (): Promise<number> => {
  const { tasks } = await state()
  return tasks.filter(({ kind, state }) => kind === 'import' && state === 'failed').length
}
const visible = async () => (await app.records()).windows.filter(({ isVisible }) => isVisible).length

test('a first start does what its links and files ask for, once the page is there', async () => {
  await expect.poll(section, { timeout: 20_000 }).toBe('Engines')
  await expect.poll(imports, { timeout: 20_000 }).toBe(1)
  expect(await state()).toMatchObject({ bottles: [] })
})

test('a second start ends at once and brings the window of the first back', async () => {
  await app.closeWindow()
  await expect.poll(visible).toBe(0)
  expect(await app.secondInstance([])).toMatchObject({ exitCode: 0 })
  await expect.poll(visible).toBe(1)
  expect((await app.records()).windows).toHaveLength(1)
})

test('links and files of a second start reach the first', async () => {
  expect(await app.secondInstance(['icebox://section/trash'])).toMatchObject({ exitCode: 0 })
  await expect.poll(section).toBe('Trash')
  const before = await imports()
  await app.secondInstance([join(top, 'second.bottle'), join(top, 'none.tar'), '/etc/passwd'])
  await expect.poll(imports).toBe(before + 1)
})

test('a link to the New bottle sheet opens it, and starts nothing', async () => {
  await app.secondInstance(['icebox://new'])
  const page = await app.page()
  await page.getByRole('dialog', { name: 'New bottle' }).waitFor()
  expect((await state()).bottles).toEqual([])
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
})

test('links that are not understood change nothing; the window comes, since somebody asked for the app', async () => {
  const before = await imports()
  await app.closeWindow()
  await expect.poll(visible).toBe(0)
  await app.secondInstance(['icebox://destroy/web', 'icebox://bottle/../x', '--cli=x', 'file:///etc/passwd'])
  await expect.poll(visible).toBe(1)
  expect(await state()).toMatchObject({ bottles: [] })
  expect(await imports()).toBe(before)
  const { dialogs, errors, opened } = await app.records()
  expect([dialogs, errors, opened]).toEqual([[], [], []])
})

test('what the system asks to open comes to the same place', async () => {
  await app.openUrl('icebox://section/agents')
  await expect.poll(section).toBe('Agents')
  const before = await imports()
  await app.openFile(join(top, 'mine.bottle'))
  await expect.poll(imports).toBe(before + 1)
  await app.openFile('/etc/passwd')
  await app.openUrl('icebox://section/engines')
  await expect.poll(section).toBe('Engines')
  expect(await imports()).toBe(before + 1)
})

test('--cli answers beside the running app: no window, no lock, the exit codes of the command', async () => {
  await app.closeWindow()
  await expect.poll(visible).toBe(0)
  const list = await app.secondInstance(['--cli', 'list', '--json'])
  expect(list).toEqual({ exitCode: 0, stdout: '[]\n', stderr: '' })
  const guarded = await app.secondInstance(['--cli', '--', 'list', '--json'])
  expect(guarded).toMatchObject({ exitCode: 0, stdout: '[]\n' })
  const failed = await app.secondInstance(['--cli', 'stop', 'nobody', '--json'])
  expect(failed.exitCode).not.toBe(0)
  expect(JSON.parse(failed.stderr)).toMatchObject({ error: { code: 'not-found' } })
  // The first was told nothing.
  expect(await visible()).toBe(0)
})

test('--cli leaves nothing behind where no app runs', async () => {
  const userData = join(top, 'data')
  const alone = await launchDesktop({
    home: join(top, 'other'),
    userData,
    args: ['--cli', 'list', '--json'],
  })
  try {
    expect([await alone.exitCode, alone.output()]).toEqual([0, '[]\n'])
    expect(await readdir(userData)).toEqual([])
  } finally {
    await alone.close()
  }
})
