import { dirname, join } from 'node:path'
import { app, BrowserWindow, dialog, ipcMain, powerMonitor, protocol, shell } from 'electron'
import manifest from '../../package.json' with { type: 'json' }
import { DESKTOP_CHANNELS } from '../../src-preload/contract/desktop.ts'
import type { Icebox } from '../icebox.ts'
import { createCore } from '../ipc/core.ts'
import { createElectronTransport } from '../ipc/electron-transport.ts'
import { findRendererDir } from '../ipc/renderer-dir.ts'
import { createWarner } from '../ipc/warner.ts'
import { readBattery } from '../system/battery.ts'
import { serveApp } from './app-protocol.ts'
import type { Desktop } from './desktop.ts'
import { startDragOut } from './drag-out.ts'
import { startImportFiles } from './import-files.ts'
import { installCommand } from './install-command.ts'
import { followState } from './live-state.ts'
import { isStartedAtLogin } from './login-item.ts'
import { windowOf } from './looking.ts'
import { createMainWindow, preloadPath } from './main-window.ts'
import { startMenus } from './menus.ts'
import { startPageRequests } from './page-requests.ts'
import { openPlaceRecord } from './place-record.ts'
import { startPower } from './power.ts'
import { startQuestions } from './questions.ts'
import { createQuit, type Quit } from './quit.ts'
import { createCommandRunner } from './run-command.ts'
import { startSaveExport } from './save-export.ts'
import { createTell } from './tell.ts'
import { startTheme } from './theme.ts'
import type { Updates } from './update-cycle.ts'
import { startUpdates } from './updates.ts'

/** How long running tasks may take to roll back when the app ends. */
const TASK_GRACE_MS = 15_000
/** The same, when the session ends and the system waits. */
const SESSION_GRACE_MS = 1000

export interface RunningDesktop {
  readonly desktop: Desktop
  /** To be asked before `close`. */
  readonly quit: Quit
  /** Ends everything but the agents. Idempotent. */
  close(): Promise<void>
}

/**
 * The desktop's composition root, after Electron is ready: the page's scheme and channels first, then the window, then
 * everything that can wait until it is shown.
 * @throws BottleError when the state root can't be used
 */
export async function startDesktop(icebox: Icebox): Promise<RunningDesktop> {
  const stop = new AbortController()
  const warn = createWarner()
  const [rendererDir, settings, place] = await Promise.all([
    findRendererDir(),
    icebox.settings(),
    openPlaceRecord(join(app.getPath('userData'), 'window.json'), warn),
  ])
  serveApp(protocol, rendererDir, warn)
  const core = createCore(icebox, manifest.version, warn, 'desktop')
  const transport = createElectronTransport({
    ipc: ipcMain,
    router: core.router,
    hub: core.hub,
    bottles: icebox.bottles,
    refused: (channel, from) =>
      warn(new Error(`refused ${channel} from ${JSON.stringify(from.slice(0, 200))}`)),
  })
  const window = createMainWindow({
    preload: preloadPath(dirname(rendererDir)),
    platform: process.platform,
    isPackaged: app.isPackaged,
    place,
    admit: transport.admit,
    closeToTray: () => settings.all().closeToTray !== false,
    isEnding: () => stop.signal.aborted,
    quit: () => app.quit(),
    warn,
  })
  transport.listen(DESKTOP_CHANNELS.ready, () => window.listening())
  if (!isStartedAtLogin()) window.show()
  const state = await followState(core.hub)
  let updates: Promise<Updates> | undefined
  const run = createCommandRunner({
    router: core.router,
    state,
    window,
    shell,
    quit: () => app.quit(),
    tell: createTell({ window, warn }),
    others: {
      'install-command': () => installCommand({ window }),
      'check-updates': async () => (await updates)?.checkByHand(),
    },
  })
  const base = { icebox, core, transport, settings, state, window, run, warn, signal: stop.signal }
  const quit = createQuit(base, {
    dialog,
    visibleWindow: () => {
      const shown = windowOf({ window })
      return shown?.isVisible() && !shown.isMinimized() ? shown : undefined
    },
  })
  const desktop: Desktop = { ...base, quit }
  startParts(desktop)
  updates = startUpdates(desktop, () => desktop.quit.mayEnd('update'))
  updates.catch(warn)
  let closing: Promise<void> | undefined
  return {
    desktop,
    quit,
    close() {
      closing ??= (async () => {
        stop.abort()
        for (const each of BrowserWindow.getAllWindows()) each.destroy()
        transport.close()
        state.close()
        await place.flush()
        await core.close(quit.isSessionEnding() ? SESSION_GRACE_MS : TASK_GRACE_MS)
        await icebox.close()
      })()
      return closing
    },
  }
}

/** Parts that live beside the window, each in a file of its own. Each ends with the desktop's signal. */
function startParts(desktop: Desktop): void {
  startMenus(desktop, { installCommand: true, checkUpdates: true })
  startTheme(desktop)
  startDragOut(desktop)
  startSaveExport(desktop)
  startImportFiles(desktop)
  startPageRequests(desktop)
  startQuestions(desktop)
  startPower(desktop, {
    monitor: powerMonitor,
    platform: process.platform,
    readBattery,
    tell: createTell(desktop),
    endSession() {
      desktop.quit.endSession()
      app.quit()
    },
  })
  tellReadOnly(desktop)
}

/** Settings of a newer Icebox are used and left alone; who changes one should know beforehand. */
function tellReadOnly(desktop: Desktop): void {
  const reason = desktop.settings.readOnlyReason()
  if (reason) createTell(desktop)(reason)
}
