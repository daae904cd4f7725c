import { app, BrowserWindow, dialog, session, type WebContents } from 'electron'
import type { Icebox } from './icebox.ts'
import type { IceboxServer } from './serve.ts'

/** The window's own cookie jar; it lives in memory and ends with the app. */
const PARTITION = 'icebox-window'

interface Running {
  readonly icebox: Icebox
  readonly server: IceboxServer
  readonly stop: AbortController
}

let running: Running | undefined
let isEnding = false

async function start(): Promise<Running> {
  denyPermissions()
  const [{ createIcebox }, { startServer }] = await Promise.all([import('./icebox.ts'), import('./serve.ts')])
  const icebox = await createIcebox({})
  const stop = new AbortController()
  try {
    return { icebox, server: await startServer({ icebox, signal: stop.signal }), stop }
  } catch (error) {
    await icebox.close()
    throw error
  }
}

/** One sandboxed window on the same server and contract as the browser face. */
function openWindow({ server }: Running): void {
  const window = new BrowserWindow({
    width: 1280,
    height: 820,
    minWidth: 640,
    minHeight: 420,
    show: false,
    title: 'Icebox',
    webPreferences: {
      partition: PARTITION,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  })
  window.once('ready-to-show', () => window.show())
  window.loadURL(server.newLink()).catch(reportAndQuit)
}

function denyPermissions(): void {
  const jar = session.fromPartition(PARTITION)
  const isAllowed = (permission: string): boolean => permission === 'clipboard-sanitized-write'
  jar.setPermissionRequestHandler((_contents, permission, answer) => answer(isAllowed(permission)))
  jar.setPermissionCheckHandler((_contents, permission) => isAllowed(permission))
  jar.setDevicePermissionHandler(() => false)
}

/** Whatever the page asks for, it stays where it is. */
function denyNavigation(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
  contents.on('will-attach-webview', (event) => event.preventDefault())
  for (const name of ['will-navigate', 'will-redirect', 'will-frame-navigate'] as const) {
    contents.on(name as 'will-navigate', (event) => {
      if (!isOwnPage(event.url)) event.preventDefault()
    })
  }
}

function isOwnPage(address: string): boolean {
  if (!running || !URL.canParse(address)) return false
  return new URL(address).origin === `http://127.0.0.1:${running.server.port}`
}

async function end(): Promise<void> {
  if (!running) return
  const { icebox, server } = running
  running = undefined
  await server.close()
  await icebox.close()
}

function reportAndQuit(error: unknown): void {
  dialog.showErrorBox('Icebox could not start', error instanceof Error ? error.message : String(error))
  app.exit(1)
}

function showOrOpen(): void {
  const [window] = BrowserWindow.getAllWindows()
  if (!window) {
    if (running) openWindow(running)
    return
  }
  if (window.isMinimized()) window.restore()
  window.focus()
}

if (app.requestSingleInstanceLock()) {
  app.enableSandbox()
  app.on('second-instance', showOrOpen)
  app.on('activate', showOrOpen)
  app.on('web-contents-created', (_event, contents) => denyNavigation(contents))
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  app.on('before-quit', (event) => {
    if (isEnding) return
    isEnding = true
    event.preventDefault()
    end()
      .catch((error: unknown) => console.error(error instanceof Error ? error.message : error))
      .finally(() => app.quit())
  })
  void app
    .whenReady()
    .then(start)
    .then((started) => {
      running = started
      openWindow(started)
    })
    .catch(reportAndQuit)
} else {
  app.quit()
}
