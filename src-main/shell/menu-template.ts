import type { MenuItemConstructorOptions } from 'electron'
import type { MenuCommand, MenuItem } from '../menus/menu-types.ts'

/** A menu's data in Electron's own words; a click runs the item's command. Pure. */
export function menuTemplate(
  items: readonly MenuItem[],
  run: (command: MenuCommand) => void,
): MenuItemConstructorOptions[] {
  return items.map((item) => itemTemplate(item, run))
}

function itemTemplate(item: MenuItem, run: (command: MenuCommand) => void): MenuItemConstructorOptions {
  switch (item.kind) {
    case 'separator':
      return { type: 'separator' }
    case 'role':
      return { role: item.role, ...(item.label === undefined ? {} : { label: item.label }) }
    case 'label':
      return { label: item.label, enabled: false }
    case 'submenu':
      return { label: item.label, submenu: menuTemplate(item.items, run) }
    case 'command':
      return {
        label: item.label,
        click: () => run(item.command),
        enabled: item.isEnabled ?? true,
        ...(item.isChecked === undefined ? {} : { type: 'checkbox', checked: item.isChecked }),
        ...(item.accelerator === undefined ? {} : { accelerator: item.accelerator }),
        ...(item.isPageKey ? { registerAccelerator: false } : {}),
      }
  }
}
