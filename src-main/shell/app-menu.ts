import { app, Menu } from 'electron'
import { appMenu } from '../menus/app-menu.ts'
import type { MenuItem } from '../menus/menu-types.ts'
import { isSameMenu } from '../menus/same-menu.ts'
import { coalesce } from './coalesce.ts'
import type { Desktop } from './desktop.ts'
import { menuTemplate } from './menu-template.ts'

const GAP_MS = 200

/** Sets the menu bar, and keeps current what in it depends on the bottles. */
export function startAppMenu(
  desktop: Desktop,
  has: { readonly installCommand: boolean; readonly checkUpdates: boolean },
): void {
  let menu: readonly MenuItem[] | undefined
  const update = (): void => {
    const next = appMenu({
      state: desktop.state.get(),
      platform: process.platform,
      has,
      isDevelopment: !app.isPackaged,
    })
    if (isSameMenu(menu, next)) return
    menu = next
    Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(next, desktop.run)))
  }
  const leave = desktop.state.onChange(coalesce(update, GAP_MS, desktop.signal))
  desktop.signal.addEventListener('abort', leave, { once: true })
  update()
}
