import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { app } from './app.ts'
import { isAccelerator } from './menu.ts'
import { standIn } from './runtime.ts'
import { notHere, strict } from './strict.ts'

/** What would open a program or a dialog: nothing happens unless the test's recorder has taken its place. */
export const shell = strict('shell', {
  openExternal: (url: string): Promise<void> =>
    URL.canParse(url) ? Promise.resolve() : Promise.reject(new Error(`Invalid URL: ${url}`)),
  openPath: (_path: string): Promise<string> => Promise.resolve(''),
  showItemInFolder: (_path: string): void => undefined,
  trashItem: (path: string): Promise<void> =>
    Promise.reject(new Error(`the stand-in has no trash for ${path}`)),
  beep: (): void => undefined,
})

const unasked = (): never => notHere('answer to a dialog: the test has to give one')
export const dialog = strict('dialog', {
  showErrorBox: (title: string, content: string): void => console.error(`${title}: ${content}`),
  showMessageBox: unasked,
  showOpenDialog: unasked,
  showSaveDialog: unasked,
  showMessageBoxSync: () => notHere('dialogs that block'),
  showOpenDialogSync: () => notHere('dialogs that block'),
  showSaveDialogSync: () => notHere('dialogs that block'),
})

class PowerMonitorStandIn extends EventEmitter {
  onBatteryPower = false
  idleSeconds = 0
  thermal = 'nominal'

  isOnBatteryPower(): boolean {
    return this.onBatteryPower
  }

  getSystemIdleTime(): number {
    return this.idleSeconds
  }

  getSystemIdleState(threshold: number): string {
    if (!(threshold > 0)) throw new TypeError('Invalid idle threshold, must be greater than 0')
    return this.idleSeconds >= threshold ? 'idle' : 'active'
  }

  getCurrentThermalState(): string {
    return this.thermal
  }
}
export const powerMonitor = strict('powerMonitor', new PowerMonitorStandIn())

const blockers = new Map<number, string>()
let lastBlocker = 0
export const powerSaveBlocker = strict('powerSaveBlocker', {
  start(type: string): number {
    if (!['prevent-app-suspension', 'prevent-display-sleep'].includes(type)) {
      throw new TypeError(`no such type of blocker: ${type}`)
    }
    lastBlocker += 1
    blockers.set(lastBlocker, type)
    return lastBlocker
  },
  stop: (id: number): boolean => blockers.delete(id),
  isStarted: (id: number): boolean => blockers.has(id),
})

const shortcuts = new Map<string, () => void>()
const taken = new Set((process.env.STANDIN_TAKEN_SHORTCUTS ?? '').split(',').filter(Boolean))
export const globalShortcut = strict('globalShortcut', {
  register(accelerator: string, callback: () => void): boolean {
    if (!standIn.isReady) throw new Error('globalShortcut cannot be used before the app is ready')
    if (!isAccelerator(accelerator))
      throw new TypeError(`Error processing argument at index 0: ${accelerator}`)
    if (taken.has(accelerator) || shortcuts.has(accelerator)) return false
    shortcuts.set(accelerator, callback)
    return true
  },
  isRegistered: (accelerator: string): boolean => shortcuts.has(accelerator),
  unregister: (accelerator: string): void => void shortcuts.delete(accelerator),
  unregisterAll: (): void => shortcuts.clear(),
})

const key = randomBytes(32)
function seal(text: string): Buffer {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}
function open(sealed: Buffer): string {
  const plain = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
  plain.setAuthTag(sealed.subarray(-16))
  return plain.update(sealed.subarray(12, -16), undefined, 'utf8') + plain.final('utf8')
}
export const safeStorage = strict('safeStorage', {
  isEncryptionAvailable(): boolean {
    if (!standIn.isReady) throw new Error('safeStorage cannot be used before app is ready')
    return true
  },
  isAsyncEncryptionAvailable: () => Promise.resolve(standIn.isReady),
  encryptString: seal,
  decryptString: open,
  encryptStringAsync: (text: string) => Promise.resolve(seal(text)),
  decryptStringAsync: (sealed: Buffer) => Promise.resolve({ result: open(sealed), shouldReEncrypt: false }),
  getSelectedStorageBackend: () => process.env.STANDIN_SAFE_STORAGE ?? 'gnome_libsecret',
})

export const systemPreferences = strict(
  'systemPreferences',
  Object.assign(new EventEmitter(), {
    getUserDefault: () => undefined,
    getAccentColor: () => '0a84ffff',
    getAnimationSettings: () => ({
      shouldRenderRichAnimation: true,
      scrollAnimationsEnabledBySystem: true,
      prefersReducedMotion: false,
    }),
    getEffectiveAppearance: () => 'light',
    subscribeNotification: () => 1,
    unsubscribeNotification: () => undefined,
  }),
)

let clipboardText = ''
export const clipboard = strict('clipboard', {
  readText: () => clipboardText,
  writeText: (text: string) => {
    clipboardText = text
  },
  clear: () => {
    clipboardText = ''
  },
})

export const net = strict('net', {
  isOnline: () => true,
  fetch: (url: string | Request, init?: RequestInit) => fetch(url, init),
})

export const utilityProcess = strict('utilityProcess', { fork: () => notHere('utilityProcess.fork') })
export const crashReporter = strict('crashReporter', { start: () => undefined })
export const autoUpdater = strict('autoUpdater', new EventEmitter())

/** As the system's log-out: the app may hold it up. True when it did. */
export function shutDown(): boolean {
  let isHeld = false
  powerMonitor.emit('shutdown', {
    preventDefault() {
      isHeld = true
    },
  })
  if (!isHeld) app.quit()
  return isHeld
}
