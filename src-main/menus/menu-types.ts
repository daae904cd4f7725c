import type { PageCommand } from '../../src-preload/contract/desktop.ts'

/** What a menu item, a notification's button or a link does. Carried out in one place: shell/run-command.ts. */
export type MenuCommand =
  /** Shows the window first. */
  | { readonly do: 'page'; readonly command: PageCommand }
  | { readonly do: 'show-window' }
  | { readonly do: 'quit' }
  | { readonly do: 'freeze'; readonly slug: string }
  | { readonly do: 'freeze-all' }
  | { readonly do: 'resume'; readonly slug: string; readonly snapshot?: string }
  | { readonly do: 'stop'; readonly slug: string }
  | { readonly do: 'cancel-task'; readonly taskId: string }
  | { readonly do: 'open-external'; readonly url: string }
  | { readonly do: 'install-command' }
  | { readonly do: 'check-updates' }
  | { readonly do: 'set'; readonly key: string; readonly value: unknown }

/** A role is the system's own item; its label, keys and state are the system's too. */
export type MenuRole =
  | 'about'
  | 'services'
  | 'hide'
  | 'hideOthers'
  | 'unhide'
  | 'undo'
  | 'redo'
  | 'cut'
  | 'copy'
  | 'paste'
  | 'selectAll'
  | 'minimize'
  | 'zoom'
  | 'close'
  | 'front'
  | 'togglefullscreen'
  | 'resetZoom'
  | 'zoomIn'
  | 'zoomOut'
  | 'toggleDevTools'

/** One item of a tray, dock or app menu as data. */
export type MenuItem =
  | { readonly kind: 'separator' }
  | { readonly kind: 'role'; readonly role: MenuRole; readonly label?: string }
  | { readonly kind: 'label'; readonly label: string }
  | {
      readonly kind: 'command'
      readonly label: string
      readonly command: MenuCommand
      readonly accelerator?: string
      /** The page hears these keys itself and knows when they mean typing, so the menu only shows them where it can. */
      readonly isPageKey?: boolean
      readonly isEnabled?: boolean
      /** Present on items that are on or off. */
      readonly isChecked?: boolean
    }
  | { readonly kind: 'submenu'; readonly label: string; readonly items: readonly MenuItem[] }
