import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type DesktopApp, launchDesktop } from '../support/desktop-app.ts'
import { processesUnder } from '../support/leftovers.ts'

// What the desktop specs rely on: that the stand-in does as Electron does. On Electron itself these hold as well.

const TRIAL = join(import.meta.dirname, '../support/electron-on-chromium/trial-app')
// One white pixel.
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mP8/x8AAwMCAO+ip1sAAAAASUVORK5CYII='

let dir: string
let app: DesktopApp
let page: Page

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'trial-'))
  await writeFile(join(dir, 'icon.png'), Buffer.from(PNG, 'base64'))
  await writeFile(join(dir, 'dragged.txt'), 'dragged')
  app = await launchDesktop({
    home: join(dir, 'home'),
    root: TRIAL,
    env: { TRIAL_FILE: join(dir, 'dragged.txt'), TRIAL_ICON: join(dir, 'icon.png') },
  })
  page = await app.page()
  await page.getByRole('heading', { name: 'Trial' }).waitFor()
})
beforeEach(async () => {
  await app.evaluate(() => void globalThis.trialNotes.splice(0))
})
afterAll(async () => {
  await app.close()
  await rm(dir, { recursive: true, force: true })
})

declare global {
  var trial: Record<string, (...args: unknown[]) => unknown> & { nested: { list: number[] } }
  var trialNotes: unknown[][]
  var trialRules: { window: string; navigate: boolean; permissions: string[] }
  var trialPort: () => void
  var trialWasReady: boolean
  var trialOpenWindow: () => void
  var dropped: string[] | undefined
  var got: unknown
}

const notes = () => app.evaluate(() => globalThis.trialNotes)
const rules = (set: Partial<typeof globalThis.trialRules>) =>
  app.evaluate((_electron, given) => void Object.assign(globalThis.trialRules, given), set)

test('the app becomes ready after its entry has been evaluated, however long that takes', async () => {
  expect(await app.evaluate(() => globalThis.trialWasReady)).toBe(false)
})

test('the preload lives in a world of its own and may require nothing but electron', async () => {
  expect(await page.evaluate(() => [typeof Reflect.get(globalThis, 'require'), trial.seesPage?.()])).toEqual([
    'undefined',
    'undefined',
  ])
  expect(
    await page.evaluate(() => ['electron', 'node:fs', './x.cjs'].map((name) => trial.requires?.(name))),
  ).toEqual(['object', 'threw: module not found: node:fs', 'threw: module not found: ./x.cjs'])
})

test('the bridge copies: frozen, without prototypes, errors as words', async () => {
  const seen = await page.evaluate(() => ({
    frozen: [Object.isFrozen(trial), Object.isFrozen(trial.nested), Object.isFrozen(trial.nested.list)],
    custom: JSON.stringify(trial.custom),
    inherited: typeof Reflect.get(trial.custom as object, 'inherited'),
    bytes: (trial.bytes as unknown) instanceof Uint8Array,
    plain: trial.isPlain?.({ a: 1 }),
    map: trial.kindOf?.(new Map()),
    twice: trial.twice?.((value: unknown) => Number(value) + 1),
    again: trial.exposeTwice?.(),
  }))
  expect(seen).toEqual({
    frozen: [true, true, true],
    custom: '{"own":1}',
    inherited: 'undefined',
    bytes: true,
    plain: true,
    map: '[object Map]',
    twice: 3,
    again: 'threw: Cannot bind an API on top of an existing property on the window object',
  })
  const error = await page.evaluate(() => {
    try {
      trial.fail?.()
    } catch (caught) {
      return { message: (caught as Error).message, code: Reflect.get(caught as Error, 'code') }
    }
    return undefined
  })
  expect(error).toEqual({ message: 'plain words', code: undefined })
  expect(await page.evaluate(() => trial.later?.())).toEqual({ done: true })
  await expect(page.evaluate(() => trial.twice?.(Symbol('x')))).rejects.toThrow('could not be cloned')
})

test('calls carry structured clones; of an error only the words arrive', async () => {
  const echoed = await page.evaluate(async () => {
    const sent = {
      when: new Date(5),
      map: new Map([[1, new Set(['a'])]]),
      big: 5n,
      none: undefined,
      bytes: new Uint8Array([9]),
    }
    const back = (await trial.invoke?.('echo', sent)) as typeof sent
    return [
      back.when.getTime(),
      [...(back.map.get(1) ?? [])],
      String(back.big),
      'none' in back,
      back.bytes[0],
    ]
  })
  expect(echoed).toEqual([5, ['a'], '5', true, 9])
  const rejected = (channel: string) =>
    page.evaluate(
      (name) =>
        Promise.resolve(trial.invoke?.(name)).catch((error: Error) => [
          error.message,
          Reflect.get(error, 'code'),
        ]),
      channel,
    )
  expect(await rejected('fail')).toEqual([
    "Error invoking remote method 'fail': RangeError: plain words",
    undefined,
  ])
  expect((await rejected('nobody')) as unknown).toEqual([
    "Error invoking remote method 'nobody': Error: No handler registered for 'nobody'",
    undefined,
  ])
  expect(String(await rejected('function'))).toContain('could not be cloned')
  expect(await page.evaluate(() => trial.sendFunction?.())).toContain('could not be cloned')
  expect(await page.evaluate(() => trial.invoke?.('sender'))).toEqual({
    url: 'trial-app://bundle/index.html',
    origin: 'trial-app://bundle',
    isTop: true,
    isWindows: true,
  })
})

test('ports carry values both ways, and say when they close', async () => {
  const back = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const port = trial.open?.((data: unknown) => {
          port.close()
          resolve([data, port.isGone()])
        }) as { post(data: unknown): void; close(): void; isGone(): unknown }
        port.post({ to: 'main' })
      }),
  )
  expect(back).toEqual([{ to: 'main' }, undefined])
  await expect.poll(notes).toEqual([['open-port', { wanted: 'echo' }], ['port-closed']])
  await page.evaluate(() => {
    globalThis.got = undefined
    trial.onPort?.((data: unknown) => {
      globalThis.got = JSON.stringify(data)
    })
  })
  await app.evaluate(() => globalThis.trialPort())
  await expect.poll(() => page.evaluate(() => globalThis.got)).toBe('["hello",{"0":7,"1":8}]')
})

test('a frame of the page has no bridge, and its navigations are asked about', async () => {
  await page.evaluate(() => {
    const frame = document.createElement('iframe')
    frame.src = 'https://example.com/frame'
    document.body.append(frame)
  })
  await expect.poll(notes).toContainEqual(['will-frame-navigate', 'https://example.com/frame'])
  expect(await page.evaluate(() => typeof Reflect.get(frames[0] as object, 'trial'))).toBe('undefined')
  await page.evaluate(() => document.querySelector('iframe')?.remove())
})

test('navigations and redirects that a listener forbids do not happen', async () => {
  await page.evaluate(() => {
    location.href = 'https://example.com/top'
  })
  await expect.poll(notes).toContainEqual(['will-navigate', 'https://example.com/top'])
  await rules({ navigate: true })
  await page.evaluate(() => {
    location.href = '/away'
  })
  await expect.poll(notes).toContainEqual(['will-navigate', 'trial-app://bundle/away'])
  await expect.poll(notes).toContainEqual(['will-redirect', 'https://example.com/'])
  await rules({ navigate: false })
})

test('new windows come only when the handler lets them', async () => {
  await app.evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()[0]?.loadURL('trial-app://bundle/index.html'),
  )
  await page.getByRole('heading', { name: 'Trial' }).waitFor()
  expect(await page.evaluate(() => window.open('https://example.com/script'))).toBeNull()
  await page.evaluate(() => {
    const link = Object.assign(document.createElement('a'), {
      href: 'https://example.com/link',
      target: '_blank',
    })
    document.body.append(link)
    link.click()
  })
  await expect.poll(notes).toContainEqual(['open', 'https://example.com/script'])
  await expect.poll(notes).toContainEqual(['open', 'https://example.com/link'])
  expect((await app.records()).windows).toHaveLength(1)
})

test('what a page asks for is asked of the handlers', async () => {
  const ask = () => page.evaluate(() => Notification.requestPermission())
  expect(await ask()).toBe('denied')
  expect(await notes()).toEqual([['permission', 'notifications']])
  await rules({ permissions: ['notifications', 'geolocation'] })
  expect(await ask()).toBe('granted')
  const query = (name: string) =>
    page.evaluate(
      async (asked) => (await navigator.permissions.query({ name: asked as PermissionName })).state,
      name,
    )
  expect([await query('geolocation'), await query('midi')]).toEqual(['granted', 'denied'])
  const write = page.evaluate(() => navigator.clipboard.writeText('x').catch((error: Error) => error.name))
  expect(await write).toBe('NotAllowedError')
})

test('links to programs of the system are asked about', async () => {
  await rules({ navigate: true, permissions: [] })
  const follow = () =>
    page.evaluate(() => {
      location.href = 'mailto:somebody@example.com'
    })
  await follow()
  await expect.poll(notes).toContainEqual(['permission', 'openExternal'])
  expect((await app.records()).opened).toEqual([])
  await rules({ navigate: false })
})

test('the own scheme gets bodies and answers with whole responses', async () => {
  const answer = await page.evaluate(async () => {
    const response = await fetch('/echo', { method: 'POST', body: 'x'.repeat(200_000) })
    return [response.headers.get('x-method'), (await response.text()).length]
  })
  expect(answer).toEqual(['POST', 200_000])
  expect(await page.evaluate(async () => (await fetch('/..%2f..%2fetc/passwd')).status)).toBe(404)
})

test('an element can be dragged out as a file, but not without a gesture', async () => {
  await page.evaluate(() => void trial.send?.('drag'))
  // Electron itself would begin the drag wherever the mouse is just now.
  if (app.isStandIn) await expect.poll(notes).toEqual([['drag', expect.stringContaining('dragstart')]])
  await app.dragFrom(page.locator('#drag'))
  await expect
    .poll(async () => (await app.records()).drags)
    .toEqual([{ files: [join(dir, 'dragged.txt')], icon: { width: 1, height: 1 } }])
})

test('dropped files have paths, made ones have none', async () => {
  const file = join(dir, 'dropped.bottle')
  await writeFile(file, 'dropped')
  await utimes(file, 1_700_000_000.123, 1_700_000_000.123)
  await app.dropFiles([file, join(dir, 'dragged.txt')])
  await expect.poll(() => page.evaluate(() => globalThis.dropped)).toEqual([file, join(dir, 'dragged.txt')])
  expect(await page.evaluate(() => trial.pathOf?.(new File(['x'], 'made.txt')))).toBe('')
})

test('a second process ends, and the first is told', async () => {
  const { exitCode } = await app.secondInstance(['trial://link'])
  expect(exitCode).toBe(3)
  await expect.poll(notes).toEqual([['second', 'trial://link', expect.any(String)]])
})

test('addresses and files reach the app; a window that was closed comes back', async () => {
  await app.openUrl('trial://x')
  await app.openFile('/x.bottle')
  expect(await notes()).toEqual([
    ['open-url', 'trial://x'],
    ['open-file', '/x.bottle'],
  ])
  await app.closeWindow()
  await expect.poll(notes).toContainEqual(['all-closed'])
  const closed = page
  await app.evaluate(() => globalThis.trialOpenWindow())
  // The browser may still be taking the closed one away.
  await expect
    .poll(async () => {
      page = await app.page()
      return page !== closed && !page.isClosed()
    })
    .toBe(true)
  await page.getByRole('heading', { name: 'Trial' }).waitFor()
})

test('a killed app leaves no browser behind', async () => {
  const data = await app.evaluate(({ app: running }) => running.getPath('userData'))
  expect((await processesUnder(data)).length).toBeGreaterThan(0)
  await app.kill()
  await app.close()
  expect(await processesUnder(data)).toEqual([])
})
