import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runChild } from '../support/child.ts'
import type { AskedDialog } from '../support/desktop/driver.ts'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'

// The `icebox` command that the app installs, and what it says about updates.

let home: string
let folder: string
let file: string
let app: DesktopApp

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'icebox-command-'))
  folder = join(home, 'some place/bin')
  file = join(folder, 'icebox')
  app = await launchDesktop({ home: join(home, 'root'), env: { ICEBOX_COMMAND_DIR: folder } })
  await app.page()
})
afterAll(async () => {
  await app.close()
  await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

/** Clicks a menu's command and waits for the dialog that it brings. */
async function ask(...path: readonly string[]): Promise<AskedDialog> {
  const before = (await app.records()).dialogs.length
  await app.clickMenu(...path)
  return nextDialog(before)
}

async function nextDialog(before: number): Promise<AskedDialog> {
  return vi.waitFor(
    async () => {
      const dialog = (await app.records()).dialogs[before]
      if (!dialog) throw new Error('no dialog yet')
      return dialog
    },
    { timeout: 10_000, interval: 50 },
  )
}

const isMac = process.platform === 'darwin'
const INSTALL = [isMac ? 'Icebox' : 'Help', 'Install the icebox command…'] as const
const UPDATES = [isMac ? 'Icebox' : 'Help', 'Check for updates…'] as const

test('it is installed into a folder made for it, and tells how a shell finds it', async () => {
  const dialog = await ask(...INSTALL)
  expect(dialog.message).toBe('The icebox command is installed')
  expect(dialog.detail).toContain(file)
  expect(dialog.detail).toContain(`export PATH="${folder}:$PATH"`)
  await app.answerDialog({ button: 'OK' })
  await access(file)
})

test('it answers without a window, beside the app that runs, with the words as they are', async () => {
  const env = { PATH: process.env.PATH, HOME: home, ICEBOX_HOME: join(home, 'root') }
  const list = await runChild(file, ['list', '--json'], { env, timeout: 60_000 })
  expect(list.stderr).toBe('')
  expect(list.exitCode).toBe(0)
  expect(JSON.parse(list.stdout)).toBeDefined()
  const wrong = await runChild(file, ['resume', 'no such bottle'], { env, timeout: 60_000 })
  expect(wrong.exitCode).not.toBe(0)
  expect(wrong.output).toContain('no such bottle')
  expect((await app.records()).windows).toHaveLength(1)
})

test('once it is there it can be removed again', async () => {
  const dialog = await ask(...INSTALL)
  expect(dialog.buttons).toEqual(['OK', 'Remove'])
  await app.answerDialog({ button: 'Remove' })
  await vi.waitFor(async () => expect(await access(file).catch((error) => error.code)).toBe('ENOENT'))
})

test('what somebody else put there stays until the person says otherwise', async () => {
  await mkdir(folder, { recursive: true })
  await writeFile(file, '#!/bin/sh\necho mine\n', { mode: 0o755 })
  const dialog = await ask(...INSTALL)
  expect(dialog.message).toBe('Replace the icebox command that is there?')
  await app.answerDialog({ button: 'Cancel' })
  expect(await readFile(file, 'utf8')).toContain('mine')
  const before = (await app.records()).dialogs.length + 1
  await ask(...INSTALL)
  await app.answerDialog({ button: 'Replace' })
  await nextDialog(before)
  await app.answerDialog({ button: 'OK' })
  expect(await readFile(file, 'utf8')).toContain('--cli')
})

test('an app that runs from its sources says that it does not look for updates', async () => {
  const dialog = await ask(...UPDATES)
  expect(dialog).toMatchObject({
    message: 'Icebox does not look for updates',
    detail: 'This Icebox runs from its sources.',
    buttons: ['OK'],
  })
  await app.answerDialog({ button: 'OK' })
})
