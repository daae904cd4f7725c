import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Records } from '../support/desktop/driver.ts'
import { electronBinary } from '../support/desktop/electron-app.ts'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'
import { type IceboxHome, makeIceboxHome } from '../support/icebox-home.ts'

/** Electron itself always says on which machine it is. */
const canBeMac = process.platform === 'darwin' || (await electronBinary()) === undefined

let home: IceboxHome
let app: DesktopApp

beforeAll(async () => {
  home = await makeIceboxHome()
  app = await launchDesktop({ home: home.dir, platform: 'darwin', args: ['--at-login'] })
})
afterAll(async () => {
  await app?.close()
  await home?.remove()
})

async function when(what: (records: Records) => unknown): Promise<Records> {
  return vi.waitFor(
    async () => {
      const records = await app.records()
      if (!what(records)) throw new Error(JSON.stringify(records.tray))
      return records
    },
    { timeout: 60_000, interval: 100 },
  )
}

test.runIf(canBeMac)(
  'started at login on a Mac it is in the menu bar only, until somebody wants the window',
  async () => {
    const { windows, tray } = await when((records) => records.tray?.tooltip)
    expect(windows).toEqual([])
    expect(tray).toMatchObject({ isTemplate: true, title: '' })
    expect((await app.dockItems())?.map(({ label }) => label)).toEqual(['New bottle…', 'Freeze all'])
    expect((await app.menuItems())?.map(({ label }) => label).slice(0, 2)).toEqual(['Icebox', 'File'])

    await app.clickDock('New bottle…')
    const page = await app.page()
    await page.getByRole('dialog', { name: 'New bottle' }).waitFor()
    expect(app.complaints).toEqual([])
  },
)

test.runIf(canBeMac)('the system’s login item follows the setting, whoever changes it', async () => {
  const set = (value: boolean) =>
    writeFile(join(home.dir, 'icebox/settings.json'), JSON.stringify({ launchAtLogin: value }))
  await set(true)
  await when(({ loginItem }) => loginItem?.openAtLogin === true)
  await set(false)
  await when(({ loginItem }) => loginItem?.openAtLogin === false)
  await app.evaluate((electron) => {
    electron.app.setLoginItemSettings = () => {}
  })
  await set(true)
  const { dialogs } = await when(({ dialogs: [dialog] }) => dialog)
  expect(dialogs[0]?.detail).toContain('did not let Icebox open at login')
  await app.answerDialog({ button: 'OK' })
})
