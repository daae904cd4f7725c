import { afterAll, beforeAll, expect, test } from 'vitest'
import { STREAM_WINDOW } from '../../src-preload/contract/streams.ts'
import type { IceboxBridge, StreamHandle } from '../../src-preload/contract/wire.ts'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'
import { makeTestBottles, type TestBottles } from '../support/test-bottles.ts'

interface Reading {
  bytes: number
  isOver: boolean
  handle?: StreamHandle
}
type Win = { readonly icebox: IceboxBridge; reading: Reading }

const SIZE = 24_000_000
let bottles: TestBottles
let app: DesktopApp
let slug: string

beforeAll(async () => {
  bottles = await makeTestBottles('backend: host')
  ;({ slug } = await bottles.run(`yes 'a line of a very long log' | head -c ${SIZE}`))
  app = await launchDesktop({ home: bottles.home.dir })
  const page = await app.page()
  await page.locator('.window main').first().waitFor()
})
afterAll(async () => {
  await app?.close()
  await bottles?.dispose()
})

/** Opens the log in the page; acknowledged or not, what came is counted. */
async function read(isAcknowledged: boolean): Promise<void> {
  const page = await app.page()
  await page.evaluate(
    ([slug, isAcknowledged]) => {
      const { icebox } = window as unknown as Win
      const reading: Reading = { bytes: 0, isOver: false }
      ;(window as unknown as Win).reading = reading
      const handle = icebox.open(
        'logs',
        { slug },
        {
          data(chunk) {
            reading.bytes += chunk.byteLength
            if (isAcknowledged) handle.ack(chunk.byteLength)
          },
          end() {
            reading.isOver = true
          },
        },
      )
      reading.handle = handle
    },
    [slug, isAcknowledged] as const,
  )
}
async function bytes(): Promise<number> {
  const page = await app.page()
  return page.evaluate(() => (window as unknown as Win).reading.bytes)
}
/** Files of the bottle that the app holds open. */
async function held(): Promise<number> {
  return app.evaluate(async (_electron, home) => {
    const { readdir, readlink } = process.getBuiltinModule('node:fs/promises')
    const links = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    )
    return links.filter((path) => path.startsWith(home) && path.endsWith('.log')).length
  }, bottles.home.dir)
}
async function memory(): Promise<number> {
  return app.evaluate(() => process.memoryUsage().rss)
}

test('a page that acknowledges nothing gets one window, and main holds no more than that', async () => {
  const before = await memory()
  await read(false)
  await expect.poll(bytes, { timeout: 20_000 }).toBe(STREAM_WINDOW)
  expect(await held()).toBe(1)
  // Time enough for a writer that does not wait to fill the memory.
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(await bytes()).toBe(STREAM_WINDOW)
  expect((await memory()) - before).toBeLessThan(SIZE)
})

test('a page that claims more than it got loses the stream, and the log is let go', async () => {
  const page = await app.page()
  await page.evaluate((most) => (window as unknown as Win).reading.handle?.ack(most + 1), STREAM_WINDOW)
  await page.waitForFunction(() => (window as unknown as Win).reading.isOver)
  await expect.poll(held).toBe(0)
})

test('closing lets go of the log, and so does a page that is loaded anew', async () => {
  const page = await app.page()
  await read(false)
  await expect.poll(held).toBe(1)
  await page.evaluate(() => (window as unknown as Win).reading.handle?.close())
  await expect.poll(held).toBe(0)
  await read(false)
  await expect.poll(held).toBe(1)
  await page.reload()
  await expect.poll(held).toBe(0)
  await page.locator('.window main').first().waitFor()
})

test('a page that acknowledges gets every byte of a long log, and main stays as large as it was', async () => {
  const before = await memory()
  await read(true)
  await expect.poll(bytes, { timeout: 90_000, interval: 200 }).toBe(SIZE)
  expect((await memory()) - before).toBeLessThan(6 * SIZE)
})
