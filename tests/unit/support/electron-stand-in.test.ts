import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { recorderScript } from '../../support/desktop/recorder-script.ts'
import electron, { BrowserWindow, Notification, Tray } from '../../support/electron-on-chromium/electron.ts'
import { checkDrag } from '../../support/electron-on-chromium/host/drag.ts'
import { answerInvoke, ipcMain } from '../../support/electron-on-chromium/host/ipc-main.ts'
import { isAccelerator, Menu, MenuItem } from '../../support/electron-on-chromium/host/menu.ts'
import { MessageChannelMain } from '../../support/electron-on-chromium/host/message-ports.ts'
import { nativeImage } from '../../support/electron-on-chromium/host/native-image.ts'
import { standIn } from '../../support/electron-on-chromium/host/runtime.ts'
import { createSchemeServer } from '../../support/electron-on-chromium/host/scheme-server.ts'
import { takeSingleInstanceLock } from '../../support/electron-on-chromium/host/single-instance.ts'
import { checkPreferences } from '../../support/electron-on-chromium/host/web-preferences.ts'
import { makeCodec } from '../../support/electron-on-chromium/page/codec.ts'

const { app, dialog, globalShortcut, protocol } = electron
// One white pixel.
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mP8/x8AAwMCAO+ip1sAAAAASUVORK5CYII=',
  'base64',
)

let dir: string
let png: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stand-in-'))
  png = join(dir, 'icon.png')
  await writeFile(png, PNG)
})
afterAll(() => rm(dir, { recursive: true, force: true }))
afterEach(() => {
  standIn.isReady = false
})

test('what draws, and what asks the system, waits for ready', () => {
  expect(() => new BrowserWindow()).toThrow('before app is ready')
  expect(() => new Tray(png)).toThrow('before app is ready')
  expect(() => new Notification()).toThrow('before app is ready')
  expect(() => globalShortcut.register('CmdOrCtrl+X', () => {})).toThrow('before the app is ready')
  expect(() => electron.screen.getPrimaryDisplay()).toThrow('before the app')
  expect(() => protocol.handle('x', () => new Response())).toThrow('after app is ready')
})

test('what prepares the app comes before ready', () => {
  standIn.isReady = true
  const scheme = {
    scheme: 'late',
    privileges: { standard: true, secure: true, supportFetchAPI: true },
  }
  expect(() => protocol.registerSchemesAsPrivileged([scheme])).toThrow('before app is ready')
  expect(() => app.enableSandbox()).toThrow('before app is ready')
  expect(() => app.commandLine.appendSwitch()).toThrow('no effect')
})

test('schemes are registered once, and only such as the page can trust', () => {
  const privileges = { standard: true, secure: true, supportFetchAPI: true }
  const register = (more: object) => () =>
    protocol.registerSchemesAsPrivileged([{ scheme: 'a', privileges: { ...privileges, ...more } }])
  expect(register({ secure: false })).toThrow('secure')
  expect(register({})).toThrow('the last call wins')
})

test('what the stand-in lacks throws when it is touched', () => {
  expect(() => Reflect.get(electron, 'BrowserView')).toThrow('no electron.BrowserView')
  expect(() => Reflect.get(app, 'accessibilitySupportEnabled')).toThrow('no app.accessibilitySupportEnabled')
  expect(() => Reflect.get(dialog, 'showCertificateTrustDialog')).toThrow('no dialog.')
})

test('no dialog blocks, and none answers itself', () => {
  expect(() => dialog.showMessageBoxSync()).toThrow('block')
  expect(() => dialog.showMessageBox()).toThrow('the test has to give one')
})

test('a channel has one handler, and of an error its words are left', async () => {
  const fail = (): never => {
    throw Object.assign(new RangeError('plain words'), { code: 'secret' })
  }
  ipcMain.handle('one', fail)
  expect(() => ipcMain.handle('one', fail)).toThrow("second handler for 'one'")
  expect(await answerInvoke({} as never, 'one', [])).toEqual({ message: 'RangeError: plain words' })
  ipcMain.removeHandler('one')
  expect(await answerInvoke({} as never, 'one', [])).toEqual({
    message: "Error: No handler registered for 'one'",
  })
})

test('menu items need a label, a role or a type, and all of them known', () => {
  expect(() => new MenuItem({})).toThrow('needs a label')
  expect(() => new MenuItem({ label: '' })).toThrow('not empty')
  expect(() => new MenuItem({ role: 'nothing' as never })).toThrow('Unknown menu role')
  expect(() => new MenuItem({ label: 'a', type: 'odd' as never })).toThrow('Unknown menu item type')
  expect(() => new MenuItem({ label: 'a', accelerator: 'Cmd+Nothing' })).toThrow('Unknown accelerator')
  expect(() => new MenuItem({ role: 'undo', click: () => {} })).toThrow('role')
  expect(() => Menu.buildFromTemplate({} as never)).toThrow('must be an array')
  expect(() =>
    Menu.buildFromTemplate([
      { label: 'a', id: 'x' },
      { label: 'b', id: 'x' },
    ]),
  ).toThrow('two menu items')
})

test('keys of menus and shortcuts are those that Electron knows', () => {
  expect(['CmdOrCtrl+Shift+F', 'F12', 'Alt+Plus', 'CommandOrControl+,', 'Escape'].every(isAccelerator)).toBe(
    true,
  )
  expect(['Ctrl+', 'Ctrl+Foo', 'Strg+A', ''].some(isAccelerator)).toBe(false)
  standIn.isReady = true
  expect(globalShortcut.register('Alt+1', () => {})).toBe(true)
  expect(globalShortcut.register('Alt+1', () => {})).toBe(false)
  globalShortcut.unregisterAll()
})

test('a tray has an image that is one', () => {
  standIn.isReady = true
  expect(() => new Tray(join(dir, 'missing.png'))).toThrow('empty')
  expect(() => new Tray(nativeImage.createEmpty())).toThrow('empty')
  expect(() => new Tray(7)).toThrow(TypeError)
  const tray = new Tray(png)
  expect(() => tray.setImage(nativeImage.createFromBuffer(Buffer.from('no image')))).toThrow('empty')
  tray.destroy()
  expect(() => tray.setToolTip('x')).toThrow('destroyed')
})

test('a drag needs files that exist, an icon, and a gesture of just now', () => {
  const now = performance.now()
  expect(() => checkDrag({ icon: png } as never, now)).toThrow("'file' or 'files'")
  expect(() => checkDrag({ file: 'icon.png', icon: png }, now)).toThrow('absolute')
  expect(() => checkDrag({ file: join(dir, 'none'), icon: png }, now)).toThrow('exist')
  expect(() => checkDrag({ file: png } as never, now)).toThrow("'icon'")
  expect(() => checkDrag({ file: png, icon: nativeImage.createEmpty() as never }, now)).toThrow('not empty')
  expect(() => checkDrag({ file: png, icon: png }, now - 1500)).toThrow('dragstart')
  expect(() => checkDrag({ file: png, icon: png }, now)).not.toThrow()
})

test('no page runs with fewer walls than the stand-in has', () => {
  expect(() => checkPreferences({ contextIsolation: false })).toThrow('contextIsolation')
  expect(() => checkPreferences({ sandbox: false })).toThrow('sandbox')
  expect(() => checkPreferences({ webviewTag: true })).toThrow('webviewTag')
  expect(() => checkPreferences({ nodeIntegration: true })).toThrow('nodeIntegration')
})

test('messages are structured clones, and what is none is refused', () => {
  const codec = makeCodec()
  const loop: Record<string, unknown> = {
    bytes: new Uint16Array([1, 65_535]),
    bad: -0,
    deep: [undefined, Number.NaN],
  }
  loop.self = loop
  const back = codec.decode(codec.encode(loop)) as typeof loop
  expect(back).toEqual(loop)
  expect(back.self).toBe(back)
  expect(codec.decode(codec.encode(JSON.parse('{"__proto__":{"a":1}}')))).not.toHaveProperty('a')
  expect(() => codec.encode({ run: () => {} })).toThrow('could not be cloned')
  expect(() => codec.encode(Symbol('x'))).toThrow('could not be cloned')
  expect(() => new MessageChannelMain().port1.postMessage(() => {})).toThrow('could not be cloned')
})

test('messages of a port wait until it is started, and a closed one tells its twin', async () => {
  const { port1, port2 } = new MessageChannelMain()
  const heard: unknown[] = []
  const closed = new Promise((resolve) => port2.once('close', () => resolve(true)))
  port2.on('message', ({ data }) => heard.push(data))
  port1.postMessage('early')
  await new Promise((resolve) => setImmediate(resolve))
  expect(heard).toEqual([])
  port2.start()
  await expect.poll(() => heard).toEqual(['early'])
  port1.close()
  expect(await closed).toBe(true)
})

test('addresses of own schemes have a secure origin of their own, and come back as they were', async () => {
  const server = createSchemeServer(new Set(['icebox-app']))
  await server.listen()
  const url = 'icebox-app://bundle/a/..%2fb?c#d'
  const loaded = server.toChromium(url)
  expect(loaded).toMatch(/^http:\/\/bundle\.icebox-app\.localhost:\d+\/a\/\.\.%2fb\?c#d$/)
  expect(server.fromChromium(loaded)).toBe(url)
  expect(server.fromChromium('http://bundle.icebox-app.localhost:1/')).toBe(
    'http://bundle.icebox-app.localhost:1/',
  )
  expect(server.toChromium('https://example.com/')).toBe('https://example.com/')
  expect(() => server.handle('other', () => new Response())).toThrow('privileged')
  server.handle('icebox-app', () => new Response())
  expect(() => server.handle('icebox-app', () => new Response())).toThrow('Failed to register')
  server.close()
})

test('one process holds the lock of a folder; the second tells it what it was given', async () => {
  const heard: unknown[] = []
  const told = { argv: ['app', 'icebox://x'], cwd: '/', additionalData: null }
  const first = takeSingleInstanceLock(dir, told, (second) => heard.push(second))
  expect(first).not.toBe(false)
  expect(takeSingleInstanceLock(dir, told, () => {})).toBe(false)
  await expect.poll(() => heard).toEqual([told])
  if (first) first.release()
  const next = takeSingleInstanceLock(dir, told, () => {})
  expect(next).not.toBe(false)
  if (next) next.release()
})

test('the recorder is one script that Electron can load', async () => {
  const script = await recorderScript()
  expect(() => new Script(script)).not.toThrow()
  expect(script).not.toMatch(/^(import|export) /m)
})
