import { dirname } from 'node:path'
import { app, BrowserWindow, dialog, ipcMain, protocol, shell } from 'electron'
import manifest from '../../package.json' with { type: 'json' }
import { DESKTOP_CHANNELS } from '../../src-preload/contract/desktop.ts'
import type { Icebox } from '../icebox.ts'
import { createCore } from '../ipc/core.ts'
import { createElectronTransport } from '../ipc/electron-transport.ts'
import { findRendererDir } from '../ipc/renderer-dir.ts'
import { createWarner } from '../ipc/warner.ts'
import { serveApp } from './app-protocol.ts'
import type { Desktop } from './desktop.ts'
import { followState } from './live-state.ts'
import { createMainWindow, preloadPath } from './main-window.ts'
import { createCommandRunner } from './run-command.ts'

/** How long running tasks may take to roll back when the app ends. */
const TASK_GRACE_MS = 15_000

export interface RunningDesktop {
  readonly desktop: Desktop
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
  const [rendererDir, settings] = await Promise.all([findRendererDir(), icebox.settings()])
  serveApp(protocol, rendererDir)
  const core = createCore(icebox, manifest.version, warn)
  const transport = createElectronTransport({
    ipc: ipcMain,
    router: core.router,
    hub: core.hub,
    bottles: icebox.bottles,
    refused: (channel, from) => warn(new Error(`refused ${channel} from ${from}`)),
  })
  const window = createMainWindow({
    preload: preloadPath(dirname(rendererDir)),
    admit: transport.admit,
    warn,
  })
  transport.listen(DESKTOP_CHANNELS.ready, () => window.listening())
  window.show()
  const state = await followState(core.hub)
  const run = createCommandRunner({
    router: core.router,
    state,
    window,
    shell,
    quit: () => app.quit(),
    tell: (problem) => dialog.showErrorBox('Icebox', problem),
    others: {},
  })
  const desktop: Desktop = {
    icebox,
    core,
    transport,
    settings,
    state,
    window,
    run,
    warn,
    signal: stop.signal,
  }
  startParts(desktop)
  let closing: Promise<void> | undefined
  return {
    desktop,
    close() {
      closing ??= (async () => {
        stop.abort()
        for (const each of BrowserWindow.getAllWindows()) each.destroy()
        transport.close()
        state.close()
        await core.close(TASK_GRACE_MS)
        await icebox.close()
      })()
      return closing
    },
  }
}

/** Parts that live beside the window, each in a file of its own. Each ends with the desktop's signal. */
function startParts(_desktop: Desktop): void {}
