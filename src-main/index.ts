import { app, dialog, protocol, shell } from 'electron'
import { SCHEME } from './shell/app-protocol.ts'
import { lockDown } from './shell/security.ts'
import type { RunningDesktop } from './shell/start-desktop.ts'

let running: RunningDesktop | undefined
let isEnding = false

async function start(): Promise<RunningDesktop> {
  const [{ createIcebox }, { openDesktopSettings }, { startDesktop }] = await Promise.all([
    import('./icebox.ts'),
    import('./shell/desktop-settings.ts'),
    import('./shell/start-desktop.ts'),
  ])
  const icebox = await createIcebox({ openSettings: openDesktopSettings })
  try {
    return await startDesktop(icebox)
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

const show = (): void => running?.desktop.window.show()

if (app.requestSingleInstanceLock()) {
  app.enableSandbox()
  protocol.registerSchemesAsPrivileged([SCHEME])
  lockDown(app, shell, report)
  app.on('second-instance', show)
  app.on('activate', show)
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit()
  })
  app.on('before-quit', (event) => {
    if (isEnding) return
    isEnding = true
    event.preventDefault()
    Promise.resolve(running?.close())
      .catch(report)
      .finally(() => app.quit())
  })
  void app
    .whenReady()
    .then(start)
    .then((started) => {
      running = started
    })
    .catch(reportAndQuit)
} else {
  app.quit()
}
