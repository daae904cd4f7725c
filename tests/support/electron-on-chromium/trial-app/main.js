// A small app for the tests of the stand-in itself: everything it does, a test asks for.
import { join } from 'node:path'
import { app, BrowserWindow, ipcMain, MessageChannelMain, protocol, session } from 'electron'

const PAGE = `<!doctype html><html><head><title>Trial</title></head><body style="margin:0">
<h1>Trial</h1><div id="drag" draggable="true" style="width:200px;height:60px;background:#cde">Drag me</div>
<script src="/page.js"></script></body></html>`
const SCRIPT = `globalThis.ofThePage = 1
document.querySelector('#drag').addEventListener('dragstart', (event) => { event.preventDefault(); trial.send('drag') })
for (const name of ['dragenter', 'dragover']) addEventListener(name, (event) => event.preventDefault())
addEventListener('drop', (event) => {
  event.preventDefault()
  globalThis.dropped = [...event.dataTransfer.files].map((file) => trial.pathOf(file))
})`
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; frame-src *"

const notes = []
globalThis.trialNotes = notes
globalThis.trialRules = { window: 'deny', navigate: false, permissions: [] }

app.requestSingleInstanceLock() || app.exit(3)
protocol.registerSchemesAsPrivileged([
  { scheme: 'trial-app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
])
app.on('second-instance', (_event, argv, cwd) => notes.push(['second', argv.at(-1), cwd]))
app.on('window-all-closed', () => notes.push(['all-closed']))
for (const name of ['open-url', 'open-file']) {
  app.on(name, (event, value) => {
    event.preventDefault()
    notes.push([name, value])
  })
}

async function answer(request) {
  const { pathname } = new URL(request.url)
  if (pathname === '/echo')
    return new Response(await request.text(), { headers: { 'x-method': request.method } })
  if (pathname === '/away')
    return new Response(null, { status: 302, headers: { location: 'https://example.com/' } })
  if (pathname === '/page.js') return new Response(SCRIPT, { headers: { 'content-type': 'text/javascript' } })
  if (pathname !== '/index.html') return new Response(null, { status: 404 })
  return new Response(PAGE, { headers: { 'content-type': 'text/html', 'content-security-policy': CSP } })
}

function openWindow() {
  const window = new BrowserWindow({
    width: 700,
    height: 500,
    show: false,
    webPreferences: { preload: join(import.meta.dirname, 'preload.cjs'), sandbox: true },
  })
  const { webContents } = window
  for (const name of ['will-navigate', 'will-frame-navigate', 'will-redirect']) {
    webContents.on(name, (event) => {
      notes.push([name, event.url])
      if (!globalThis.trialRules.navigate) event.preventDefault()
    })
  }
  webContents.setWindowOpenHandler(({ url }) => {
    notes.push(['open', url])
    return { action: globalThis.trialRules.window }
  })
  window.once('ready-to-show', () => window.show())
  window.loadURL('trial-app://bundle/index.html')
}

ipcMain.handle('fail', () => {
  throw Object.assign(new RangeError('plain words'), { code: 'secret' })
})
ipcMain.handle('echo', (_event, value) => value)
ipcMain.handle('function', () => () => 1)
ipcMain.handle('sender', ({ senderFrame, sender }) => ({
  url: senderFrame.url,
  origin: senderFrame.origin,
  isTop: senderFrame.parent === null,
  isWindows: BrowserWindow.fromWebContents(sender)?.webContents === sender,
}))
ipcMain.on('note', (_event, ...args) => notes.push(args))
ipcMain.on('drag', ({ sender }) => {
  try {
    sender.startDrag({ file: process.env.TRIAL_FILE, icon: process.env.TRIAL_ICON })
  } catch (error) {
    notes.push(['drag', error.message])
  }
})
ipcMain.on('open', ({ ports: [port] }, wanted) => {
  notes.push(['open-port', wanted])
  port.on('message', ({ data }) => port.postMessage(data))
  port.on('close', () => notes.push(['port-closed']))
  port.start()
})
globalThis.trialPort = () => {
  const { port1, port2 } = new MessageChannelMain()
  port1.on('message', ({ data }) => {
    notes.push(['port', data])
    port1.postMessage(new Uint8Array([7, 8]))
  })
  port1.start()
  BrowserWindow.getAllWindows()[0].webContents.postMessage('port', 'hello', [port2])
}
globalThis.trialOpenWindow = openWindow

app.whenReady().then(() => {
  session.defaultSession.setPermissionRequestHandler((_contents, permission, done) => {
    notes.push(['permission', permission])
    done(globalThis.trialRules.permissions.includes(permission))
  })
  session.defaultSession.setPermissionCheckHandler((_contents, permission) =>
    globalThis.trialRules.permissions.includes(permission),
  )
  protocol.handle('trial-app', answer)
  openWindow()
})
// Ready never comes before an entry has been evaluated to its end.
globalThis.trialWasReady = await new Promise((resolve) => setImmediate(() => resolve(app.isReady())))
