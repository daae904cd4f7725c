import { EventEmitter } from 'node:events'
import type { MenuItemConstructorOptions } from 'electron'
import { app } from './app.ts'
import { makeEvent } from './event.ts'
import { strict } from './strict.ts'

const TYPES = ['normal', 'separator', 'submenu', 'checkbox', 'radio', 'header', 'palette']
const ROLES = new Set(
  `undo redo cut copy paste pasteAndMatchStyle delete selectAll reload forceReload toggleDevTools resetZoom zoomIn zoomOut
  toggleSpellChecker togglefullscreen window minimize close help about services hide hideOthers unhide quit showSubstitutions
  toggleSmartQuotes toggleSmartDashes toggleTextReplacement startSpeaking stopSpeaking zoom front appMenu fileMenu editMenu
  viewMenu shareMenu recentDocuments toggleTabBar selectNextTab selectPreviousTab showAllTabs mergeAllWindows
  clearRecentDocuments moveTabToNewWindow windowMenu`.split(/\s+/),
)
const MODIFIERS = new Set(
  'command cmd control ctrl commandorcontrol cmdorctrl alt option altgr shift super meta'.split(' '),
)
const KEYS =
  /^([a-z0-9]|f([1-9]|1\d|2[0-4])|[)!@#$%^&*(:;+=<,_\-.>/?~`{\][|\\}"']|plus|space|tab|capslock|numlock|scrolllock|backspace|delete|insert|return|enter|up|down|left|right|home|end|pageup|pagedown|escape|esc|volumeup|volumedown|volumemute|medianexttrack|mediaprevioustrack|mediastop|mediaplaypause|printscreen|num\d|numdec|numadd|numsub|nummult|numdiv)$/i

/** True for what Electron takes as keys of a menu item or of a global shortcut. */
export function isAccelerator(text: string): boolean {
  const parts = text.split('+')
  const key = parts.pop() ?? ''
  return KEYS.test(key) && parts.every((part) => MODIFIERS.has(part.toLowerCase()))
}

let lastCommand = 0

export class MenuItem {
  readonly commandId: number
  readonly label: string
  readonly sublabel: string
  readonly toolTip: string
  readonly type: string
  readonly role: string | undefined
  readonly id: string | undefined
  readonly accelerator: string | undefined
  readonly submenu: Menu | undefined
  readonly icon: unknown
  readonly registerAccelerator: boolean
  enabled: boolean
  visible: boolean
  checked: boolean
  menu: Menu | undefined
  private readonly onClick: MenuItemConstructorOptions['click']

  constructor(options: MenuItemConstructorOptions) {
    const { label, role, submenu, accelerator } = options
    const type = options.type ?? (submenu ? 'submenu' : 'normal')
    if (!TYPES.includes(type)) throw new Error(`Unknown menu item type: ${type}`)
    if (label === undefined && role === undefined && options.type === undefined) {
      throw new Error('A menu item needs a label, a role or a type')
    }
    if (type !== 'separator' && role === undefined && !label)
      throw new Error('A menu item needs a label that is not empty')
    if (role !== undefined && ![...ROLES].some((each) => each.toLowerCase() === String(role).toLowerCase())) {
      throw new Error(`Unknown menu role: ${role}`)
    }
    // Electron carries out the role and never calls the handler.
    if (role !== undefined && options.click)
      throw new Error(`a menu item of the role ${role} is never told of clicks`)
    if (type === 'submenu' && !submenu) throw new Error('Invalid submenu')
    if (accelerator !== undefined && !isAccelerator(accelerator))
      throw new Error(`Unknown accelerator: ${accelerator}`)
    lastCommand += 1
    this.commandId = lastCommand
    this.type = type
    this.role = role?.toLowerCase()
    this.label = label ?? (role === undefined ? '' : String(role))
    this.sublabel = options.sublabel ?? ''
    this.toolTip = options.toolTip ?? ''
    this.id = options.id
    this.accelerator = accelerator
    this.icon = options.icon
    this.registerAccelerator = options.registerAccelerator ?? true
    this.enabled = options.enabled ?? true
    this.visible = options.visible ?? true
    this.checked = options.checked ?? false
    this.onClick = options.click
    if (submenu) this.submenu = submenu instanceof Menu ? submenu : Menu.buildFromTemplate(submenu as never)
  }

  /** As a person's click, which a greyed item does not get. */
  readonly click = (event: object = {}, window?: unknown): void => {
    if (!this.enabled || !this.visible) throw new Error(`the menu item ${this.label} can't be clicked`)
    if (this.type === 'checkbox' || this.type === 'radio') this.checked = !this.checked
    if (this.onClick) this.onClick(this as never, window as never, event as never)
    else if (this.role === 'quit') app.quit()
  }
}

export class Menu extends EventEmitter {
  readonly items: MenuItem[] = []

  static buildFromTemplate(template: readonly (MenuItemConstructorOptions | MenuItem)[]): Menu {
    if (!Array.isArray(template))
      throw new TypeError('Invalid template for Menu: Menu template must be an array')
    const menu = new Menu()
    for (const each of template) {
      if (typeof each !== 'object' || each === null) throw new TypeError('Invalid template for MenuItem')
      menu.append(each instanceof MenuItem ? each : new MenuItem(each))
    }
    return menu
  }

  static setApplicationMenu(menu: Menu | null): void {
    if (menu !== null && !(menu instanceof Menu)) throw new TypeError('Invalid menu')
    app.applicationMenu = menu
  }

  static getApplicationMenu(): Menu | null {
    return app.applicationMenu as Menu | null
  }

  append(item: MenuItem): void {
    this.insert(this.items.length, item)
  }

  insert(position: number, item: MenuItem): void {
    if (!(item instanceof MenuItem)) throw new TypeError('Invalid item')
    if (item.id !== undefined && this.items.some((each) => each.id === item.id)) {
      throw new Error(`two menu items have the id ${item.id}`)
    }
    item.menu = this
    this.items.splice(position, 0, item)
  }

  getMenuItemById(id: string): MenuItem | null {
    for (const item of this.items) {
      const found = item.id === id ? item : (item.submenu?.getMenuItemById(id) ?? null)
      if (found) return found
    }
    return null
  }

  popup(): void {
    this.emit('menu-will-show', makeEvent({}))
  }

  closePopup(): void {
    this.emit('menu-will-close', makeEvent({}))
  }
}

/** Unknown members of menus throw too, on the class as on its objects. */
export const strictMenu = strict('Menu', Menu)
