import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { app } from 'electron'
import { words } from '../menus/words.ts'
import { readText, removeDurable, writeDurable } from '../state/durable-file.ts'
import { AT_LOGIN, autostartEntry, autostartPath, isAutostartOn } from './autostart-entry.ts'
import type { Desktop } from './desktop.ts'
import { launchCommand } from './launch-command.ts'

/** Whether the system opens the app with the session: read anew each time, because a person can change it there. */
interface LoginItem {
  isOn(): Promise<boolean>
  set(isOn: boolean): Promise<void>
}

/** True when the session opened the app, so that no window comes up unasked. */
export function isStartedAtLogin(): boolean {
  if (process.argv.includes(AT_LOGIN)) return true
  return process.platform === 'darwin' && app.getLoginItemSettings().wasOpenedAtLogin
}

/** Keeps setting and system in step until the app ends; where they differ at the start, the system is right. */
export function startLoginItem(desktop: Desktop, tell: (problem: string) => void): void {
  const item = process.platform === 'linux' ? autostartFile() : systemItem()
  const { settings, warn, signal } = desktop
  const wished = (): boolean => settings.all().launchAtLogin === true
  const agree = async (): Promise<void> => {
    const isOn = await item.isOn()
    // Written anew, because the app may have moved since.
    if (isOn) await item.set(true)
    if (isOn !== wished()) await settings.set('launchAtLogin', isOn)
  }
  const apply = async (): Promise<void> => {
    const wish = wished()
    if ((await item.isOn()) === wish) return
    await item.set(wish)
    if ((await item.isOn()) === wish) return
    tell(words.loginRefused(wish))
    await settings.set('launchAtLogin', !wish)
  }
  // One after the other, so that a quick change of mind ends as it was meant.
  let last = agree().catch(warn)
  const leave = settings.watch(() => {
    last = last.then(apply).catch(warn)
  })
  signal.addEventListener('abort', leave, { once: true })
}

function systemItem(): LoginItem {
  return {
    isOn: async () => app.getLoginItemSettings().openAtLogin,
    set: async (isOn) => app.setLoginItemSettings({ openAtLogin: isOn }),
  }
}

/** Electron knows no login items on Linux; a desktop reads them from files. */
function autostartFile(): LoginItem {
  const path = autostartPath(process.env)
  return {
    async isOn() {
      const entry = await readText(path)
      return entry !== undefined && isAutostartOn(entry)
    },
    async set(isOn) {
      if (!isOn) return removeDurable(path)
      const entry = autostartEntry(launchCommand())
      if ((await readText(path)) === entry) return
      await mkdir(dirname(path), { recursive: true })
      await writeDurable(path, entry, 0o644)
    },
  }
}
