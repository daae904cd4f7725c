import { app, Menu } from 'electron'
import { badgeCount } from '../menus/attention.ts'
import { dockMenu } from '../menus/dock-menu.ts'
import type { MenuItem } from '../menus/menu-types.ts'
import { type IconProgress, progressOf } from '../menus/progress.ts'
import { isSameMenu } from '../menus/same-menu.ts'
import { coalesce } from './coalesce.ts'
import type { Desktop } from './desktop.ts'
import { type Looking, windowOf } from './looking.ts'
import { menuTemplate } from './menu-template.ts'

const GAP_MS = 100
const NO_BAR = -1
/** Anything above 1 means that nobody can tell how far it is. */
const UNKNOWN_BAR = 2

/** Keeps the app's icon current in dock or taskbar: progress, number and, on a Mac, menu. */
export function startDock(desktop: Desktop, looking: Looking): void {
  let badge = 0
  let bar = NO_BAR
  let barWindow: number | undefined
  let menu: readonly MenuItem[] | undefined

  const update = (): void => {
    const state = desktop.state.get()
    const nextBadge = badgeCount(state, looking.attention())
    if (nextBadge !== badge) app.setBadgeCount(nextBadge)
    badge = nextBadge

    // The bar belongs to a window, so a new window has to be told anew.
    const window = windowOf(desktop)
    const nextBar = barOf(progressOf(state))
    const before = window && window.id === barWindow ? bar : NO_BAR
    if (window && nextBar !== before) window.setProgressBar(nextBar)
    bar = nextBar
    barWindow = window?.id

    if (!app.dock) return
    const nextMenu = dockMenu(state)
    if (isSameMenu(menu, nextMenu)) return
    menu = nextMenu
    app.dock.setMenu(Menu.buildFromTemplate(menuTemplate(nextMenu, desktop.run)))
  }
  const request = coalesce(update, GAP_MS, desktop.signal)
  const leave = desktop.state.onChange(request)
  looking.onChange(request)
  app.on('browser-window-created', request)
  update()
  desktop.signal.addEventListener(
    'abort',
    () => {
      leave()
      app.off('browser-window-created', request)
    },
    { once: true },
  )
}

function barOf(progress: IconProgress): number {
  if (progress.kind === 'none') return NO_BAR
  return progress.kind === 'indeterminate' ? UNKNOWN_BAR : progress.fraction
}
