import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'

type Win = { readonly icebox: IceboxBridge; mark?: number }

const PLACE = { x: 120, y: 60, width: 900, height: 700 }
let top: string
let app: DesktopApp

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'icebox-frame-'))
  app = await launchDesktop({ home: join(top, 'home'), userData: join(top, 'data'), platform: 'linux' })
})
afterAll(async () => {
  await app?.close()
  await rm(top, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

const windows = async () => (await app.records()).windows
const isShown = async () => {
  const page = await app.page()
  await page.locator('.window main').first().waitFor()
}

test('a window that was moved and closed to the tray comes back as it lay', async () => {
  await isShown()
  await app.evaluate(({ BrowserWindow }, place) => {
    BrowserWindow.getAllWindows()[0]?.setBounds(place)
  }, PLACE)
  await app.closeWindow()
  await expect.poll(windows).toEqual([])
  await app.clickTrayIcon()
  await expect.poll(windows).toMatchObject([{ bounds: PLACE, isVisible: true }])
  await isShown()
})

test('its place outlives the app', async () => {
  expect(await app.quit()).toBe(0)
  const written: unknown = JSON.parse(await readFile(join(top, 'data/window.json'), 'utf8'))
  expect(written).toEqual({ bounds: PLACE, isMaximized: false, isFullScreen: false })
  await app.close()
  app = await launchDesktop({ home: join(top, 'home'), userData: join(top, 'data'), platform: 'linux' })
  await isShown()
  expect(await windows()).toMatchObject([{ bounds: PLACE }])
})

test('a page that died is there again', async () => {
  const page = await app.page()
  await page.evaluate(() => {
    ;(window as unknown as Win).mark = 1
  })
  await app.evaluate(({ webContents }) => {
    webContents.getAllWebContents()[0]?.forcefullyCrashRenderer()
  })
  await expect
    .poll(
      () =>
        app.evaluate(({ webContents }) =>
          webContents.getAllWebContents()[0]?.executeJavaScript(`[window.mark ?? 0, 'icebox' in window]`),
        ),
      { timeout: 20_000 },
    )
    .toEqual([0, true])
  await expect.poll(() => app.output()).toContain('The page ended')
})

test('without the wish for a tray, the last window takes the app with it', async () => {
  const result = await app.evaluate(({ webContents }) =>
    webContents
      .getAllWebContents()[0]
      ?.executeJavaScript(`icebox.call('settings:set', { key: 'closeToTray', value: false })`),
  )
  expect(result).toMatchObject({ ok: true })
  await app.closeWindow()
  expect(await app.exitCode).toBe(0)
})

test('on a Mac a closed window is only hidden, and the dock brings the same page back', async () => {
  await app.close()
  app = await launchDesktop({ home: join(top, 'home'), platform: 'darwin' })
  const page = await app.page()
  await page.evaluate(() => {
    ;(window as unknown as Win).mark = 2
  })
  await expect.poll(windows).toMatchObject([{ isVisible: true }])
  await app.closeWindow()
  await expect.poll(windows).toMatchObject([{ isVisible: false }])
  await app.activate()
  await expect.poll(windows).toMatchObject([{ isVisible: true }])
  expect(await page.evaluate(() => (window as unknown as Win).mark)).toBe(2)
  expect(await app.quit()).toBe(0)
})
