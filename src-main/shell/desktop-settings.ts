import { ipcMain } from 'electron'
import type { StateRoot } from '../state/root.ts'
import { openSettings, type SettingsStore } from '../state/settings.ts'
import type { OpenSettingsFile } from '../state/settings-file.ts'

/** What electron-store answers to any page; no page of Icebox's asks, so nobody does. */
const STORE_CHANNEL = 'electron-store-get-data'

/** Loaded on the first write, since it costs more than the start of the window should wait for. */
const openStore: OpenSettingsFile = async ({ schema, migrations, ...options }) => {
  const { default: ElectronStore } = await import('electron-store')
  const store = new ElectronStore<Record<string, unknown>>({
    ...options,
    schema: schema as never,
    migrations: { ...migrations } as never,
  })
  ipcMain.removeAllListeners(STORE_CHANNEL)
  return store
}

/** The desktop's settings: the file, lock and rules of every other program, written by electron-store. */
export function openDesktopSettings(root: StateRoot): Promise<SettingsStore> {
  return openSettings(root, openStore)
}
