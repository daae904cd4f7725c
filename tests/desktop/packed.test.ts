import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'
import { extractAsar, readAsar } from '../support/packaging/asar.ts'
import { packApp } from '../support/packaging/pack.ts'

// What a release packs, away from this repository, run as the app.

let dir: string
let app: DesktopApp | undefined
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'icebox-packed-'))
  const { exitCode, output, unpacked } = await packApp(dir, 'linux')
  if (exitCode !== 0) throw new Error(output)
  const away = join(dir, 'app')
  await extractAsar(await readAsar(join(unpacked, 'resources/app.asar')), away)
  app = await launchDesktop({ home: join(dir, 'root'), root: away })
  // Packing alone takes long on a busy machine.
}, 300_000)
afterAll(async () => {
  await app?.close()
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

test('the window opens, and every part of the app has started', async () => {
  const page = await app?.page()
  await page?.locator('.window main h1, .window main .blank').first().waitFor()
  await expect.poll(async () => (await app?.trayItems())?.length ?? 0).toBeGreaterThan(0)
  expect(await app?.menuItems()).not.toBeNull()
  expect(app?.complaints).toEqual([])
  expect(app?.output()).toBe('')
})
