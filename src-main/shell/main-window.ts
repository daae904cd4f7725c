import { join } from 'node:path'
import { BrowserWindow, nativeTheme, type WebContents } from 'electron'
import { DESKTOP_CHANNELS, type PageCommand } from '../../src-preload/contract/desktop.ts'
import { PAGE_URL } from './app-protocol.ts'

/** The one window of the app: there or not, the app runs on. */
export interface MainWindow {
  /** Brings the window to the front, opening it when there is none. */
  show(): void
  /** Shows the window and gives the page a command, as soon as it listens. */
  send(command: PageCommand): void
  /** True while a window is there, hidden or not. */
  isOpen(): boolean
  /** The page, while there is one. */
  contents(): WebContents | undefined
  /** To be told when the page listens to commands. */
  listening(): void
}

export interface WindowParts {
  readonly preload: string
  /** Lets the page's messages in. */
  readonly admit: (contents: WebContents) => void
  readonly warn: (error: unknown) => void
}

/** Where electron-vite puts the preload, seen from `out/main` and its chunks. */
export function preloadPath(outDir: string): string {
  return join(outDir, 'preload', 'index.cjs')
}

export function createMainWindow(parts: WindowParts): MainWindow {
  let window: BrowserWindow | undefined
  let isListening = false
  const waiting: PageCommand[] = []

  const open = (): BrowserWindow => {
    const made = new BrowserWindow({
      width: 1280,
      height: 820,
      minWidth: 640,
      minHeight: 420,
      show: false,
      title: 'Icebox',
      backgroundColor: nativeTheme.shouldUseDarkColors ? '#14181d' : '#f6f8fa',
      webPreferences: {
        preload: parts.preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        webviewTag: false,
        spellcheck: false,
      },
    })
    window = made
    made.once('ready-to-show', () => made.show())
    made.once('closed', () => {
      if (window === made) window = undefined
      isListening = false
    })
    parts.admit(made.webContents)
    made.loadURL(PAGE_URL).catch(parts.warn)
    return made
  }
  const show = (): void => {
    if (!window) return void open()
    if (window.isMinimized()) window.restore()
    window.show()
    window.focus()
  }
  return {
    show,
    send(command) {
      show()
      if (isListening) window?.webContents.send(DESKTOP_CHANNELS.command, command)
      else waiting.push(command)
    },
    isOpen: () => window !== undefined,
    contents: () => window?.webContents,
    listening() {
      isListening = true
      for (const command of waiting.splice(0)) window?.webContents.send(DESKTOP_CHANNELS.command, command)
    },
  }
}
