import type { BrowserWindowConstructorOptions, WebPreferences } from 'electron'

/** Ground colours of the page, so that the window never flashes before it is painted. */
const GROUND = { dark: '#14181d', light: '#f6f8fa' } as const
/** Lets the system's material shine through where the page paints nothing. */
const CLEAR = '#00000000'

/** What the frame of the window looks like on a platform. Pure. */
export function windowLook(platform: NodeJS.Platform, isDark: boolean): BrowserWindowConstructorOptions {
  if (platform !== 'darwin') {
    return { backgroundColor: isDark ? GROUND.dark : GROUND.light, autoHideMenuBar: true }
  }
  return {
    backgroundColor: CLEAR,
    titleBarStyle: 'hiddenInset',
    // In the middle of the page's first line, and within its narrowest sidebar.
    trafficLightPosition: { x: 14, y: 20 },
    // So that the page is told when the buttons go away, as they do in full screen.
    titleBarOverlay: true,
    vibrancy: 'sidebar',
    visualEffectState: 'followWindow',
  }
}

/** What the page may do. Defaults of Electron are written out too: they are what the rest relies on. Pure. */
export function pagePreferences(preload: string, isPackaged: boolean): WebPreferences {
  return {
    preload,
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    spellcheck: false,
    devTools: !isPackaged,
  }
}

/** What closing the window does. */
export type CloseAct = 'close' | 'hide' | 'quit'

/**
 * On a Mac the app stays, as apps do there, and the window comes back as it was. Elsewhere it stays in the tray by
 * the person's wish; without that, the last window takes the app with it, which may still ask. Pure.
 */
export function closeAct(platform: NodeJS.Platform, closeToTray: boolean, isEnding: boolean): CloseAct {
  if (isEnding) return 'close'
  if (platform === 'darwin') return 'hide'
  return closeToTray ? 'close' : 'quit'
}
