import { EventEmitter } from 'node:events'
import type { IpcMain, WebContents } from 'electron'
import { expect, test, vi } from 'vitest'
import { createElectronTransport } from '../../../src-main/ipc/electron-transport.ts'
import type { Router } from '../../../src-main/ipc/router.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'
import type { Result } from '../../../src-preload/contract/errors.ts'
import type { StatePatch } from '../../../src-preload/contract/index.ts'

const PAGE = { url: 'icebox-app://bundle/index.html', parent: null }
type Handler = (event: object, ...args: unknown[]) => Promise<Result<unknown>>

function scene(router: Router = async (call, args) => ({ ok: true, value: [call, args] })) {
  const handlers = new Map<string, Handler>()
  const emitter = new EventEmitter()
  const ipc = Object.assign(emitter, {
    handle: (channel: string, handler: Handler) => void handlers.set(channel, handler),
    removeHandler: (channel: string) => void handlers.delete(channel),
  })
  const listeners = new Set<(patch: StatePatch) => void>()
  const refused: string[] = []
  const transport = createElectronTransport({
    ipc: ipc as unknown as IpcMain,
    router,
    hub: {
      snapshot: () => Promise.reject(new Error('not asked for')),
      probeEngines: () => Promise.reject(new Error('not asked for')),
      close: () => {},
      subscribe(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
    bottles: {
      logs: async function* () {},
      attach: () => Promise.reject(bottleError('unsupported')),
    },
    refused: (channel, from) => void refused.push(`${channel} ${from}`),
  })
  const makePage = (id: number) => {
    const sent: unknown[][] = []
    const page = Object.assign(new EventEmitter(), {
      id,
      isDestroyed: () => false,
      send: (...args: unknown[]) => void sent.push(args),
    })
    return { page, sent, contents: page as unknown as WebContents }
  }
  const invoke = (channel: string, event: object, ...args: unknown[]): Promise<Result<unknown>> => {
    const handler = handlers.get(channel)
    return handler ? handler(event, ...args) : Promise.reject(new Error(`no handler for ${channel}`))
  }
  const patch = (revision: number, size = 0): void => {
    for (const listener of listeners)
      listener({ revision, changes: [{ entity: 'bottle', key: 'x'.repeat(size), value: null }] } as never)
  }
  return { transport, ipc, handlers, listeners, refused, makePage, invoke, patch }
}

function admitted(router?: Router) {
  const all = scene(router)
  const one = all.makePage(7)
  all.transport.admit(one.contents)
  const call = (...args: unknown[]) =>
    all.invoke('icebox:call', { sender: one.page, senderFrame: PAGE }, ...args)
  return { ...all, ...one, call }
}

test('a call of the admitted page is answered', async () => {
  expect(await admitted().call('engine:probe', {})).toEqual({ ok: true, value: ['engine:probe', {}] })
})

// Row 5.
test.each([
  ['a frame within it', { url: PAGE.url, parent: PAGE }],
  ['a page from elsewhere in its place', { url: 'https://evil.test/', parent: null }],
  ['a blank page', { url: 'about:blank', parent: null }],
  ['a frame that is gone', null],
])('%s is refused on every channel, and told', async (_what, senderFrame) => {
  const router = vi.fn<Router>()
  const { page, invoke, ipc, refused, transport } = admitted(router)
  const heard = vi.fn()
  transport.listen('icebox:ready', heard)
  transport.handle('icebox:save-export', heard)
  const port = { close: vi.fn() }
  const event = { sender: page, senderFrame, ports: [port] }
  for (const channel of ['icebox:call', 'icebox:save-export'])
    expect(await invoke(channel, event, 'state:snapshot', {})).toMatchObject({ error: { code: 'denied' } })
  for (const channel of ['icebox:ready', 'icebox:seen', 'icebox:open']) ipc.emit(channel, event, 1)
  expect(router).not.toHaveBeenCalled()
  expect(heard).not.toHaveBeenCalled()
  expect(port.close).toHaveBeenCalledTimes(3)
  expect(refused).toHaveLength(5)
  expect(refused[0]).toContain('icebox:call')
})

test('a page that was never admitted is refused, whatever its address', async () => {
  const { invoke, makePage, refused } = admitted()
  const { page } = makePage(8)
  expect(await invoke('icebox:call', { sender: page, senderFrame: PAGE }, 'engine:probe', {})).toMatchObject({
    ok: false,
    error: { code: 'denied' },
  })
  expect(refused).toHaveLength(1)
})

test('a page that is gone is not known any more', async () => {
  const { page, call, listeners } = admitted()
  page.emit('destroyed')
  expect(await call('engine:probe', {})).toMatchObject({ error: { code: 'denied' } })
  expect(listeners.size).toBe(0)
})

// Row 6.
test('names that are none, arguments without measure and too many calls at once are refused as values', async () => {
  let finish = (): void => {}
  const waits = new Promise<void>((resolve) => {
    finish = resolve
  })
  const { call } = admitted(async () => {
    await waits
    return { ok: true, value: null }
  })
  for (const name of [undefined, null, 7, {}, ['state:snapshot']])
    expect(await call(name, {})).toMatchObject({ ok: false, error: { code: 'usage' } })
  expect(await call('engine:probe', { text: 'x'.repeat(2_000_000) })).toMatchObject({
    error: { code: 'usage' },
  })
  const open = Array.from({ length: 128 }, () => call('engine:probe', {}))
  expect(await call('engine:probe', {})).toMatchObject({ error: { code: 'busy' } })
  finish()
  await Promise.all(open)
  expect(await call('engine:probe', {})).toMatchObject({ ok: true })
})

test('what a handler throws reaches the page as a value', async () => {
  const { transport, invoke, page } = admitted()
  transport.handle('icebox:save-export', () => Promise.reject(bottleError('disk-full')))
  transport.handle('icebox:pick-imports', () => {
    throw new Error('odd')
  })
  const event = { sender: page, senderFrame: PAGE }
  expect(await invoke('icebox:save-export', event)).toMatchObject({ error: { code: 'disk-full' } })
  expect(await invoke('icebox:pick-imports', event)).toMatchObject({ error: { code: 'internal' } })
})

test('a page that does not say what it saw gets four megabytes and then the newest patch only', async () => {
  const { page, sent, patch, ipc } = admitted()
  for (let revision = 1; revision <= 100; revision += 1) patch(revision, 100_000)
  expect(sent.length).toBeLessThan(45)
  const before = sent.length
  const bytes = sent.reduce((sum, [, , , size]) => sum + Number(size), 0)
  ipc.emit('icebox:seen', { sender: page, senderFrame: PAGE, ports: [] }, bytes)
  await vi.waitFor(() => expect(sent).toHaveLength(before + 1))
  expect(sent.at(-1)?.[2]).toMatchObject({ revision: 100 })
})

test.each([-5, Number.NaN, '5000000', null, Number.NEGATIVE_INFINITY])(
  'a page that says nonsense about what it saw (%s) gets no more',
  (nonsense) => {
    const { page, sent, patch, ipc } = admitted()
    for (let revision = 1; revision <= 60; revision += 1) {
      patch(revision, 100_000)
      ipc.emit('icebox:seen', { sender: page, senderFrame: PAGE, ports: [] }, nonsense)
    }
    expect(sent.length).toBeLessThan(45)
  },
)

test('a page that is loaded anew starts from nothing', () => {
  const { page, sent, patch } = admitted()
  for (let revision = 1; revision <= 60; revision += 1) patch(revision, 100_000)
  const before = sent.length
  page.emit('did-start-navigation', { isMainFrame: true, isSameDocument: true })
  page.emit('did-start-navigation', { isMainFrame: false, isSameDocument: false })
  patch(61, 100_000)
  expect(sent).toHaveLength(before)
  page.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false })
  for (let revision = 62; revision <= 70; revision += 1) patch(revision, 10)
  return vi.waitFor(() => expect(sent.at(-1)?.[2]).toMatchObject({ revision: 70 }))
})

test('closing leaves no channel, no listener and no page', async () => {
  const { transport, handlers, ipc, listeners } = admitted()
  transport.handle('icebox:save-export', async () => ({ ok: true, value: null }))
  transport.listen('icebox:ready', () => {})
  transport.close()
  expect([handlers.size, listeners.size, ipc.eventNames()]).toEqual([0, 0, []])
})
