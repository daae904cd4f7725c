import { homedir } from 'node:os'
import { app, dialog, Menu, protocol, shell } from 'electron'
import { SCHEME } from './shell/app-protocol.ts'
import { guardQuit } from './shell/before-quit.ts'
import { cliArguments, stayHidden } from './shell/cli-mode.ts'
import { bottleFile, openRequest, outsideWords, requestOfInstance } from './shell/open-files.ts'
import { createOpener } from './shell/open-outside.ts'
import { lockDown } from './shell/security.ts'
import { sessionPath } from './shell/session-path.ts'
import type { RunningDesktop } from './shell/start-desktop.ts'

const NOTHING = { commands: [], files: [] } as const
const opener = createOpener()

async function start(): Promise<RunningDesktop> {
  const [{ createIcebox }, { openDesktopSettings }, { importPaths }, { startDesktop }] = await Promise.all([
    import('./icebox.ts'),
    import('./shell/desktop-settings.ts'),
    import('./shell/import-files.ts'),
    import('./shell/start-desktop.ts'),
  ])
  const icebox = await createIcebox({ openSettings: openDesktopSettings })
  try {
    const running = await startDesktop(icebox)
    opener.start(running.desktop, importPaths)
    // Not before: macOS may tell of an activation at the start too, when the session opens the app without a window.
    app.on('activate', () => opener.open(NOTHING))
    return running
  } catch (error) {
    await icebox.close()
    throw error
  }
}

function report(error: unknown): void {
  console.error(error instanceof Error ? error.message : error)
}

function reportAndQuit(error: unknown): void {
  dialog.showErrorBox('Icebox could not start', error instanceof Error ? error.message : String(error))
  app.exit(1)
}

/** Answers a command line, as `icebox` does, and ends with its exit code. */
function runCommand(args: readonly string[]): void {
  stayHidden(app, process.platform)
  import('./cli/main.ts')
    .then(({ main }) => main(args))
    .catch((error: unknown) => {
      report(error)
      app.exit(1)
    })
}

function runApp(): void {
  const words = outsideWords(process.argv.slice(1))
  if (!app.requestSingleInstanceLock({ args: words, cwd: process.cwd() })) return void app.quit()
  app.enableSandbox()
  process.env.PATH = sessionPath(process.env.PATH, homedir(), process.platform)
  protocol.registerSchemesAsPrivileged([SCHEME])
  // Spares Electron making its own menu, which nobody would see.
  Menu.setApplicationMenu(null)
  lockDown(app, shell, report)
  listenOutside(words)
  let running: Promise<RunningDesktop> | undefined
  guardQuit(app, () => running, report)
  // Without this listener Electron would end with the last window; who closes it says what it means.
  app.on('window-all-closed', () => {})
  void app.whenReady().then(() => {
    running = start()
    running.catch(reportAndQuit)
  })
}

/** What comes from outside while the app starts or runs: links, files, and further starts. */
function listenOutside(words: readonly string[]): void {
  if (words.length > 0) opener.open(openRequest(words, process.cwd()))
  app.on('second-instance', (_event, _argv, _cwd, data) => opener.open(requestOfInstance(data)))
  app.on('open-url', (event, url) => {
    event.preventDefault()
    opener.open(openRequest([url], '/'))
  })
  app.on('open-file', (event, path) => {
    event.preventDefault()
    const file = bottleFile(path, '/')
    opener.open(file === null ? NOTHING : { commands: [], files: [file] })
  })
}

const command = cliArguments(process.argv, app.isPackaged)
if (command) runCommand(command)
else runApp()
