import { freezable } from './bottle-facts.ts'
import { COMMANDS, commandItem, SECTION_COMMANDS } from './command-table.ts'
import type { MenuItem, MenuRole } from './menu-types.ts'
import type { MenuState } from './tray-menu.ts'
import { words } from './words.ts'

export interface AppMenuFacts {
  readonly state: Pick<MenuState, 'bottles' | 'tasks'>
  readonly platform: string
  /** Commands that this build of the app can carry out. */
  readonly has: { readonly installCommand: boolean; readonly checkUpdates: boolean }
  /** Adds what only somebody who works on the app needs. */
  readonly isDevelopment: boolean
}

const SEPARATOR: MenuItem = { kind: 'separator' }
const role = (name: MenuRole): MenuItem => ({ kind: 'role', role: name })
const submenu = (label: string, items: readonly MenuItem[]): MenuItem => ({ kind: 'submenu', label, items })

/** The menu bar, with the conventions of the platform. Pure. */
export function appMenu(facts: AppMenuFacts): readonly MenuItem[] {
  const isMac = facts.platform === 'darwin'
  return [
    ...(isMac ? [macAppMenu(facts)] : []),
    fileMenu(isMac),
    submenu(words.edit, [
      role('undo'),
      role('redo'),
      SEPARATOR,
      role('cut'),
      role('copy'),
      role('paste'),
      role('selectAll'),
      SEPARATOR,
      commandItem(COMMANDS.find),
      ...(isMac ? [] : [SEPARATOR, commandItem(COMMANDS.settings)]),
    ]),
    submenu(words.bottle, [
      commandItem(COMMANDS.freeze),
      commandItem(COMMANDS.resume),
      commandItem(COMMANDS.fork),
      commandItem(COMMANDS.export),
      SEPARATOR,
      commandItem(COMMANDS.freezeAll, freezable(facts.state).length > 0),
      SEPARATOR,
      commandItem(COMMANDS.destroy),
    ]),
    submenu(words.go, [
      commandItem(COMMANDS.palette),
      SEPARATOR,
      ...SECTION_COMMANDS.map((entry) => commandItem(entry)),
    ]),
    submenu(words.view, [
      role('resetZoom'),
      role('zoomIn'),
      role('zoomOut'),
      SEPARATOR,
      role('togglefullscreen'),
      ...(facts.isDevelopment ? [SEPARATOR, role('toggleDevTools')] : []),
    ]),
    ...(isMac
      ? [
          submenu(words.window, [
            role('minimize'),
            role('zoom'),
            SEPARATOR,
            commandItem(COMMANDS.openWindow),
            role('front'),
          ]),
        ]
      : []),
    helpMenu(facts, isMac),
  ]
}

/** By convention the first menu of a Mac app bears its name and holds what concerns the app as a whole. */
function macAppMenu(facts: AppMenuFacts): MenuItem {
  return submenu(words.app, [
    role('about'),
    ...(facts.has.checkUpdates ? [commandItem(COMMANDS.checkUpdates)] : []),
    SEPARATOR,
    commandItem(COMMANDS.settings),
    ...(facts.has.installCommand ? [commandItem(COMMANDS.installCommand)] : []),
    SEPARATOR,
    role('services'),
    SEPARATOR,
    role('hide'),
    role('hideOthers'),
    role('unhide'),
    SEPARATOR,
    commandItem(COMMANDS.quit),
  ])
}

function fileMenu(isMac: boolean): MenuItem {
  return submenu(words.file, [
    commandItem(COMMANDS.newBottle),
    commandItem(COMMANDS.import),
    SEPARATOR,
    role('close'),
    ...(isMac ? [] : [commandItem(COMMANDS.quit)]),
  ])
}

function helpMenu(facts: AppMenuFacts, isMac: boolean): MenuItem {
  return submenu(words.help, [
    commandItem(COMMANDS.shortcuts),
    ...(isMac
      ? []
      : [
          SEPARATOR,
          ...(facts.has.installCommand ? [commandItem(COMMANDS.installCommand)] : []),
          ...(facts.has.checkUpdates ? [commandItem(COMMANDS.checkUpdates)] : []),
          role('about'),
        ]),
  ])
}
