import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import type { Settings, Theme } from '../state/app.ts'
import { createStore, type Store } from '../state/create-store.ts'

const MEMORY = 'icebox.theme'
const THEMES: readonly string[] = ['system', 'light', 'dark']

function isTheme(value: unknown): value is Theme {
  return typeof value === 'string' && THEMES.includes(value)
}

/** The settings that the page itself needs. The theme is remembered here too, so that the first paint has it. */
export function createSettings(bridge: IceboxBridge, storage: Storage): Store<Settings> {
  const remembered = storage.getItem(MEMORY)
  const store = createStore<Settings>({ theme: isTheme(remembered) ? remembered : 'system' })
  const show = () => {
    const { theme } = store.get()
    if (theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    storage.setItem(MEMORY, theme)
  }
  show()
  store.subscribe(show)
  void bridge.call('settings:get', {}).then((result) => {
    if (result.ok && isTheme(result.value.theme)) store.set({ theme: result.value.theme })
  })
  return store
}
