import type { Icebox } from '../icebox.ts'
import type { Core } from '../ipc/core.ts'
import type { ElectronTransport } from '../ipc/electron-transport.ts'
import type { MenuCommand } from '../menus/menu-types.ts'
import type { SettingsStore } from '../state/settings.ts'
import type { LiveState } from './live-state.ts'
import type { MainWindow } from './main-window.ts'
import type { Quit } from './quit.ts'

/** What every part of the desktop is built over: made once in shell/start-desktop.ts. */
export interface Desktop {
  readonly icebox: Icebox
  readonly core: Core
  readonly transport: ElectronTransport
  readonly settings: SettingsStore
  /** What pages show, kept current while no page is open too. */
  readonly state: LiveState
  readonly window: MainWindow
  /** Carries out what a menu, a notification or a link asks for; failures are told to the person. */
  readonly run: (command: MenuCommand) => void
  readonly warn: (error: unknown) => void
  /** Asks before the app ends: `mayEnd('update')` before an update is installed. */
  readonly quit: Quit
  /** Aborts when the app ends. */
  readonly signal: AbortSignal
}
