import type { App } from 'electron'

/**
 * The command line behind `--cli`, or null when the window is meant. Only switches may stand before it, and of the app
 * run from its folder the folder's name. A `--` right after it keeps Chromium from reading what follows. Pure.
 */
export function cliArguments(argv: readonly string[], isPackaged: boolean): readonly string[] | null {
  const at = argv.indexOf('--cli')
  if (at < 1) return null
  const words = argv.slice(1, at).filter((word) => !word.startsWith('-'))
  if (words.length > (isPackaged ? 0 : 1)) return null
  const rest = argv.slice(at + 1)
  return rest[0] === '--' ? rest.slice(1) : rest
}

/** Keeps an app that only answers a command line out of sight. To be called before Electron is ready. */
export function stayHidden(app: App, platform: NodeJS.Platform): void {
  app.disableHardwareAcceleration()
  // Without a display, a terminal over ssh for instance, Chromium would end before the command does.
  if (platform === 'linux') app.commandLine.appendSwitch('ozone-platform', 'headless')
  if (platform === 'darwin') {
    app.setActivationPolicy('prohibited')
    app.dock?.hide()
  }
  passQuitOn(app)
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** A wish to quit that comes so soon after a signal is the same one. */
const SAME_MS = 500

/** Electron may take Ctrl-C and SIGTERM as a wish to quit; commands roll back first and end with codes of their own. */
function passQuitOn(app: App): void {
  let heardAt = Number.NEGATIVE_INFINITY
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      heardAt = performance.now()
    })
  }
  app.on('before-quit', (event) => {
    event.preventDefault()
    setImmediate(() => {
      if (performance.now() - heardAt > SAME_MS) process.emit('SIGINT', 'SIGINT')
    })
  })
}
