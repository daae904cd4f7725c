import { isBottleError } from '../system/bottle-error.ts'
import { runCommand } from '../system/run-command.ts'

const OPEN_MS = 10_000

/** True where a browser can be expected: macOS, or a Linux session with a display. */
export function hasDisplay(env: NodeJS.ProcessEnv = process.env): boolean {
  return process.platform === 'darwin' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)
}

/** Opens the address in the user's browser; false when that did not work. Never throws. */
export async function openBrowser(url: string): Promise<boolean> {
  if (!hasDisplay()) return false
  const program = process.platform === 'darwin' ? '/usr/bin/open' : 'xdg-open'
  try {
    // The desktop's own variables are what tells xdg-open where to open.
    await runCommand(program, [url], { timeout: OPEN_MS, env: desktopEnvironment(process.env) })
    return true
  } catch (error) {
    // Some openers stay for as long as the browser does: one that is still there has opened it.
    return isBottleError(error) && error.code === 'timeout'
  }
}

const KEPT =
  /^(PATH|HOME|LANG|LC_ALL|TMPDIR|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|BROWSER|DESKTOP_SESSION|DBUS_SESSION_BUS_ADDRESS|XDG_\w+|KDE_\w+)$/

function desktopEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => KEPT.test(entry[0]) && entry[1] !== undefined,
    ),
  )
}
