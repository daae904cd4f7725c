import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Tells an app that the session started it, not a person. */
export const AT_LOGIN = '--at-login'

const FILE = 'icebox.desktop'

/** Where a Linux session looks for what it starts; the path of Icebox's own entry. Pure. */
export function autostartPath(env: Readonly<Record<string, string | undefined>>, home = homedir()): string {
  const config = env.XDG_CONFIG_HOME
  return join(config && isAbsolute(config) ? config : join(home, '.config'), 'autostart', FILE)
}

/** The entry's text. Pure. */
export function autostartEntry(command: readonly string[]): string {
  return [
    '[Desktop Entry]',
    'Type=Application',
    'Name=Icebox',
    'Comment=Freeze, resume and fork the sandboxes of coding agents',
    `Exec=${[...command, AT_LOGIN].map(quoted).join(' ')}`,
    'Icon=icebox-desktop',
    'Terminal=false',
    'X-GNOME-Autostart-enabled=true',
    '',
  ].join('\n')
}

/** True when a session would start what this entry names; a person may have switched it off in it. Pure. */
export function isAutostartOn(entry: string): boolean {
  return !/^\s*(?:Hidden\s*=\s*true|X-GNOME-Autostart-enabled\s*=\s*false)\s*$/im.test(entry)
}

/** By the rules of desktop entries: quotes around, and a backslash before what a shell would read, itself escaped. */
function quoted(word: string): string {
  const escaped = word.replace(/(["`$\\])/g, '\\$1').replaceAll('\\', '\\\\')
  return `"${escaped.replaceAll('%', '%%')}"`
}
