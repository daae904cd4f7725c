import { startAppMenu } from './app-menu.ts'
import type { Desktop } from './desktop.ts'
import { startDock } from './dock.ts'
import { startLoginItem } from './login-item.ts'
import { createLooking } from './looking.ts'
import { startNotifications } from './notifications.ts'
import { startShortcuts } from './shortcuts.ts'
import { createTell } from './tell.ts'
import { startTray } from './tray.ts'

/** What a build of the app can do beyond the menus themselves. */
export interface MenuAbilities {
  readonly installCommand: boolean
  readonly checkUpdates: boolean
}

/** Starts all that shows the bottles outside the window; each part ends with the desktop's signal. */
export function startMenus(desktop: Desktop, has: MenuAbilities): void {
  const looking = createLooking(desktop)
  const tell = createTell(desktop)
  startAppMenu(desktop, has)
  startTray(desktop, looking).catch(desktop.warn)
  startDock(desktop, looking)
  startNotifications(desktop, looking).catch(desktop.warn)
  startShortcuts(desktop, tell)
  startLoginItem(desktop, tell)
}
