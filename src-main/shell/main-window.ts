import { join } from 'node:path'
import { BrowserWindow, nativeTheme, screen, type WebContents } from 'electron'
import { DESKTOP_CHANNELS, type PageCommand } from '../../src-preload/contract/desktop.ts'
import { PAGE_URL } from './app-protocol.ts'
import type { PlaceRecord } from './place-record.ts'
import { fitPlace, MIN_HEIGHT, MIN_WIDTH } from './window-bounds.ts'
import { closeAct, pagePreferences, windowLook } from './window-look.ts'

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
  readonly platform: NodeJS.Platform
  readonly isPackaged: boolean
  readonly place: PlaceRecord
  /** Lets the page's messages in. */
  readonly admit: (contents: WebContents) => void
  /** The person's wish for when the window is closed. */
  readonly closeToTray: () => boolean
  /** True once the app ends: the window then closes without more ado. */
  readonly isEnding: () => boolean
  readonly quit: () => void
  readonly warn: (error: unknown) => void
}

/** A page that is not painted by then is shown as it is, in its ground colour. */
const LATE_MS = 1000
/** A page that dies more often within a minute is not loaded again. */
const MOST_DEATHS = 3
const DEATHS_MS = 60_000
/** What waits for a page that never listens. */
const MOST_WAITING = 20

/** Where electron-vite puts the preload, seen from `out/main` and its chunks. */
export function preloadPath(outDir: string): string {
  return join(outDir, 'preload', 'index.cjs')
}

/** The only maker of windows: everything about the page's rights is in one place. */
export function createMainWindow(parts: WindowParts): MainWindow {
  let window: BrowserWindow | undefined
  let isListening = false
  const waiting: PageCommand[] = []

  const open = (): void => {
    const made = makeWindow(parts)
    window = made
    isListening = false
    made.once('closed', () => {
      if (window === made) window = undefined
      isListening = false
    })
    made.webContents.on('did-start-navigation', ({ isMainFrame, isSameDocument }) => {
      if (isMainFrame && !isSameDocument) isListening = false
    })
    showWhenPainted(made)
    closeAsWished(made, parts)
    keepPlace(made, parts.place)
    loadAgainAfterDeath(made, parts.warn)
    parts.admit(made.webContents)
    made.loadURL(PAGE_URL).catch(parts.warn)
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
      else if (waiting.push(command) > MOST_WAITING) waiting.shift()
    },
    isOpen: () => window !== undefined,
    contents: () => window?.webContents,
    listening() {
      isListening = true
      for (const command of waiting.splice(0)) window?.webContents.send(DESKTOP_CHANNELS.command, command)
    },
  }
}

function makeWindow({ preload, platform, isPackaged, place }: WindowParts): BrowserWindow {
  const primary = screen.getPrimaryDisplay()
  const others = screen.getAllDisplays().filter(({ id }) => id !== primary.id)
  const areas = [primary, ...others].map(({ workArea }) => workArea)
  const made = new BrowserWindow({
    ...windowLook(platform, nativeTheme.shouldUseDarkColors),
    ...fitPlace(place.last, areas),
    minWidth: MIN_WIDTH,
    minHeight: MIN_HEIGHT,
    show: false,
    title: 'Icebox',
    webPreferences: pagePreferences(preload, isPackaged),
  })
  const { isFullScreen, isMaximized } = place.last ?? {}
  // Either would show the window by itself.
  made.once('show', () => {
    if (isFullScreen) made.setFullScreen(true)
    else if (isMaximized) made.maximize()
  })
  return made
}

function showWhenPainted(made: BrowserWindow): void {
  const reveal = (): void => {
    clearTimeout(late)
    // Once: a window that a person has hidden meanwhile stays hidden, however late its page paints.
    made.off('ready-to-show', reveal)
    if (!made.isDestroyed() && !made.isVisible()) made.show()
  }
  const late = setTimeout(reveal, LATE_MS)
  made.once('ready-to-show', reveal)
  made.once('closed', () => clearTimeout(late))
}

function closeAsWished(made: BrowserWindow, parts: WindowParts): void {
  made.on('close', (event) => {
    const act = closeAct(parts.platform, parts.closeToTray(), parts.isEnding())
    if (act === 'close') return
    event.preventDefault()
    if (act === 'quit') return parts.quit()
    // A full screen that is hidden leaves a black one behind.
    if (!made.isFullScreen()) return made.hide()
    made.once('leave-full-screen', () => made.hide())
    made.setFullScreen(false)
  })
}

function keepPlace(made: BrowserWindow, place: PlaceRecord): void {
  const keep = (): void => {
    if (made.isDestroyed() || made.isMinimized()) return
    place.keep({
      bounds: made.getNormalBounds(),
      isMaximized: made.isMaximized(),
      isFullScreen: made.isFullScreen(),
    })
  }
  made.on('resize', keep)
  made.on('move', keep)
  made.on('maximize', keep)
  made.on('unmaximize', keep)
  made.on('enter-full-screen', keep)
  made.on('leave-full-screen', keep)
}

/** The page holds nothing that main has not; a new one shows the same. */
function loadAgainAfterDeath(made: BrowserWindow, warn: (error: unknown) => void): void {
  let deaths: number[] = []
  made.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
    if (reason === 'clean-exit' || made.isDestroyed()) return
    warn(new Error(`The page ended: ${reason}, exit code ${exitCode}.`))
    const now = performance.now()
    deaths = [...deaths.filter((then) => now - then < DEATHS_MS), now]
    if (deaths.length <= MOST_DEATHS) made.loadURL(PAGE_URL).catch(warn)
  })
}
