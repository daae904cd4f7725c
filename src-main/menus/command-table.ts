import type { MenuCommand, MenuItem } from './menu-types.ts'
import { words } from './words.ts'

/** A command of the app menu; `chord` is written as the page writes it, `mod` being ⌘ or Ctrl. */
export interface CommandEntry {
  readonly label: string
  readonly chord?: string
  readonly command: MenuCommand
  /** False for the few keys that main hears itself. */
  readonly isPageKey: boolean
}

function onPage(
  label: string,
  chord: string | null,
  command: Extract<MenuCommand, { do: 'page' }>['command'],
): CommandEntry {
  return { label, ...(chord === null ? {} : { chord }), command: { do: 'page', command }, isPageKey: true }
}

const inMain = (label: string, command: MenuCommand, chord?: string): CommandEntry => ({
  label,
  ...(chord === undefined ? {} : { chord }),
  command,
  isPageKey: false,
})

/** Every command of the app menu: its name, its keys and what it does, once. */
export const COMMANDS = {
  newBottle: onPage(words.newBottle, 'mod+n', { id: 'new-bottle' }),
  import: onPage(words.import, null, { id: 'import' }),
  find: onPage(words.find, 'mod+f', { id: 'find' }),
  palette: onPage(words.palette, 'mod+k', { id: 'palette' }),
  settings: onPage(words.settings, 'mod+,', { id: 'settings' }),
  shortcuts: onPage(words.shortcuts, 'mod+shift+/', { id: 'shortcuts' }),
  freeze: onPage(words.freeze, 'mod+shift+f', { id: 'verb', verb: 'freeze' }),
  resume: onPage(words.resumeOrOpen, 'mod+enter', { id: 'verb', verb: 'resume' }),
  fork: onPage(words.fork, 'mod+d', { id: 'verb', verb: 'fork' }),
  export: onPage(words.export, 'mod+e', { id: 'verb', verb: 'export' }),
  destroy: onPage(words.destroy, 'mod+backspace', { id: 'verb', verb: 'destroy' }),
  freezeAll: inMain(words.freezeAll, { do: 'freeze-all' }),
  openWindow: inMain(words.openWindow, { do: 'show-window' }),
  quit: inMain(words.quit, { do: 'quit' }, 'mod+q'),
  installCommand: inMain(words.installCommand, { do: 'install-command' }),
  checkUpdates: inMain(words.checkUpdates, { do: 'check-updates' }),
} as const satisfies Record<string, CommandEntry>

/** The sections of the window in the order of their digits. */
export const SECTION_NAMES = [
  'bottles',
  'activity',
  'agents',
  'engines',
  'space',
  'trash',
  'settings',
] as const

/** One command per section of the window: ⌘1 to ⌘7. */
export const SECTION_COMMANDS: readonly CommandEntry[] = SECTION_NAMES.map((section, index) =>
  onPage(words.sections[section], `mod+${index + 1}`, { id: 'section', section }),
)

const KEYS: Readonly<Record<string, string>> = {
  mod: 'CommandOrControl',
  shift: 'Shift',
  alt: 'Alt',
  enter: 'Enter',
  backspace: 'Backspace',
  space: 'Space',
}

/** A chord like `mod+shift+f` as Electron writes it. Pure. */
export function accelerator(chord: string): string {
  return chord
    .split('+')
    .map((part) => KEYS[part] ?? (part.length === 1 ? part.toUpperCase() : part))
    .join('+')
}

/** A command as an item of a menu. Pure. */
export function commandItem(entry: CommandEntry, isEnabled = true): MenuItem {
  return {
    kind: 'command',
    label: entry.label,
    command: entry.command,
    ...(entry.chord === undefined ? {} : { accelerator: accelerator(entry.chord) }),
    ...(entry.isPageKey ? { isPageKey: true } : {}),
    ...(isEnabled ? {} : { isEnabled }),
  }
}
