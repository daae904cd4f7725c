import { Menu, Tray } from 'electron'
import type { MenuItem } from '../menus/menu-types.ts'
import { isSameMenu } from '../menus/same-menu.ts'
import { type TrayLook, trayLook } from '../menus/tray-look.ts'
import { trayMenu } from '../menus/tray-menu.ts'
import { coalesce } from './coalesce.ts'
import type { Desktop } from './desktop.ts'
import { trayIcons } from './icons.ts'
import type { Looking } from './looking.ts'
import { menuTemplate } from './menu-template.ts'

const GAP_MS = 100

/** Held here, because the system's icon goes when nothing holds this. */
let tray: Tray | undefined

/** Shows the tray icon with its menu until the app ends, with or without a window. */
export async function startTray(desktop: Desktop, looking: Looking): Promise<void> {
  const icons = await trayIcons(process.platform)
  if (desktop.signal.aborted) return
  const made = new Tray(icons.idle)
  tray = made
  // A click opens the menu on a Mac; elsewhere the menu is on the other button.
  if (process.platform !== 'darwin') made.on('click', () => desktop.window.show())

  let look: TrayLook | undefined
  let menu: readonly MenuItem[] | undefined
  const update = (): void => {
    const state = desktop.state.get()
    const nextLook = trayLook(state, looking.attention())
    if (!isSameMenu(look, nextLook)) {
      if (look?.shape !== nextLook.shape) made.setImage(icons[nextLook.shape])
      made.setToolTip(nextLook.tooltip)
      if (process.platform === 'darwin') made.setTitle(nextLook.count && ` ${nextLook.count}`)
      look = nextLook
    }
    const nextMenu = trayMenu(state, new Date())
    if (isSameMenu(menu, nextMenu)) return
    menu = nextMenu
    made.setContextMenu(Menu.buildFromTemplate(menuTemplate(nextMenu, desktop.run)))
  }
  const request = coalesce(update, GAP_MS, desktop.signal)
  const leave = desktop.state.onChange(request)
  looking.onChange(request)
  update()
  desktop.signal.addEventListener(
    'abort',
    () => {
      leave()
      tray?.destroy()
      tray = undefined
    },
    { once: true },
  )
}
