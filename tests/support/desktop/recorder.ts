// Runs inside the app's main process, before the app, over Electron itself or over its stand-in: notes what the app
// does to the system around it, keeps it from really happening, and does what a person would do. Electron is given the
// text of this file and its two parts, so they import nothing but types and each other.
import type * as Electron from 'electron'
import type { DriverRequest, Records, ShownItem } from './driver.ts'
import { recordDialogs } from './record-dialogs.ts'
import { replace, wrap } from './replace.ts'

type Module = typeof Electron

export interface RecorderOptions {
  /** The stand-in checks what it is given, and does nothing to the system by itself. */
  readonly isStandIn: boolean
}

/** Starts recording; what it returns answers a test's requests. */
export function installRecorder(
  electron: Module,
  options: RecorderOptions,
): (request: DriverRequest) => Promise<unknown> {
  const { createHash } = process.getBuiltinModule('node:crypto')
  const { existsSync } = process.getBuiltinModule('node:fs')
  const { isAbsolute } = process.getBuiltinModule('node:path')
  const { app, dialog, shell, powerMonitor, globalShortcut, powerSaveBlocker } = electron

  const opened: string[] = []
  const revealed: string[] = []
  const dialogs = recordDialogs(dialog)
  const drags: { files: string[]; icon: { width: number; height: number } }[] = []
  const refusedDrags: string[] = []
  const schemes = new Set<string>()
  const shortcuts = new Map<string, () => void>()
  const blockers = new Map<number, string>()
  const progress = new Map<number, number>()
  const notifications: { shown: Electron.Notification; isClosed: boolean }[] = []
  let loginItem: Record<string, unknown> | null = null
  let dockMenu: Electron.Menu | null = null
  let badge = ''
  let tray: Electron.Tray | null = null
  const trayFacts = {
    menu: null as Electron.Menu | null,
    menus: 0,
    icon: '',
    isTemplate: false,
    tooltip: '',
    title: '',
  }

  // --- the system's browser and file manager
  replace(shell, 'openExternal', () => async (url) => void opened.push(url))
  replace(shell, 'showItemInFolder', () => (path) => void revealed.push(path))
  replace(shell, 'openPath', () => async (path) => {
    revealed.push(path)
    return ''
  })

  // --- tray, dock, notifications
  const describeImage = (image: string | Electron.NativeImage): { icon: string; isTemplate: boolean } => {
    const made = typeof image === 'string' ? electron.nativeImage.createFromPath(image) : image
    const icon = createHash('sha256').update(made.toPNG()).digest('hex').slice(0, 16)
    return { icon, isTemplate: made.isTemplateImage() }
  }
  const trayProto = electron.Tray.prototype
  const seen = (self: Electron.Tray): void => {
    tray = self
  }
  wrap(trayProto, 'setContextMenu', (self: Electron.Tray, [menu]: [Electron.Menu | null]) => {
    seen(self)
    const { image } = self as Electron.Tray & { image?: Electron.NativeImage }
    if (options.isStandIn && trayFacts.icon === '' && image) Object.assign(trayFacts, describeImage(image))
    trayFacts.menu = menu
    trayFacts.menus += 1
  })
  wrap(trayProto, 'setImage', (self: Electron.Tray, [image]: [Electron.NativeImage]) => {
    seen(self)
    Object.assign(trayFacts, describeImage(image))
  })
  wrap(trayProto, 'setToolTip', (self: Electron.Tray, [text]: [string]) => {
    seen(self)
    trayFacts.tooltip = text
  })
  wrap(trayProto, 'setTitle', (self: Electron.Tray, [text]: [string]) => {
    seen(self)
    trayFacts.title = text
  })
  wrap(trayProto, 'destroy', (self: Electron.Tray) => {
    if (tray === self) tray = null
  })
  wrap(electron.Notification.prototype, 'show', (shown: Electron.Notification) => {
    notifications.push({ shown, isClosed: false })
  })
  wrap(electron.Notification.prototype, 'close', (shown: Electron.Notification) => {
    for (const each of notifications) if (each.shown === shown) each.isClosed = true
  })
  if (app.dock) {
    replace(app.dock, 'setMenu', (original) => (menu) => {
      dockMenu = menu
      original(menu)
    })
    replace(app.dock, 'setBadge', (original) => (text) => {
      badge = text
      original(text)
    })
  }
  replace(app, 'setBadgeCount', () => (count = 0) => {
    badge = count === 0 ? '' : String(count)
    return true
  })

  // --- what would stay on the machine after the test
  replace(app, 'setAsDefaultProtocolClient', (original) => (scheme) => {
    schemes.add(scheme)
    return options.isStandIn ? original(scheme) : true
  })
  replace(app, 'setLoginItemSettings', (original) => (settings) => {
    if (options.isStandIn) original(settings)
    loginItem = { ...loginItem, ...settings }
  })
  replace(app, 'getLoginItemSettings', (original) => (wanted) => ({
    ...(options.isStandIn ? original(wanted) : ({} as Electron.LoginItemSettings)),
    ...(loginItem as Partial<Electron.LoginItemSettings>),
  }))
  replace(globalShortcut, 'register', (original) => (accelerator, callback) => {
    if (options.isStandIn && !original(accelerator, callback)) return false
    shortcuts.set(accelerator, callback)
    return true
  })
  replace(globalShortcut, 'unregister', (original) => (accelerator) => {
    if (options.isStandIn) original(accelerator)
    shortcuts.delete(accelerator)
  })
  replace(globalShortcut, 'unregisterAll', (original) => () => {
    if (options.isStandIn) original()
    shortcuts.clear()
  })
  replace(globalShortcut, 'isRegistered', () => (accelerator) => shortcuts.has(accelerator))
  replace(powerSaveBlocker, 'start', (original) => (type) => {
    const id = original(type)
    blockers.set(id, type)
    return id
  })
  replace(powerSaveBlocker, 'stop', (original) => (id) => {
    blockers.delete(id)
    return original(id)
  })

  // --- windows and drags
  const checkDrag = (item: Electron.Item): string | null => {
    const files = item.files ?? (item.file ? [item.file] : [])
    const icon = typeof item.icon === 'string' ? electron.nativeImage.createFromPath(item.icon) : item.icon
    if (files.length === 0) return 'no file'
    const wrong = files.find((file) => !isAbsolute(file) || !existsSync(file))
    if (wrong !== undefined) return `no such file: ${wrong}`
    return icon.isEmpty() ? 'an empty icon' : null
  }
  app.on('web-contents-created', (_event, contents) => {
    replace(contents, 'startDrag', (original) => (item) => {
      try {
        const problem = checkDrag(item)
        if (problem) throw new Error(problem)
        // A native drag would wait for a mouse that is not there.
        if (options.isStandIn) original(item)
      } catch (error) {
        refusedDrags.push(error instanceof Error ? error.message : String(error))
        throw error
      }
      const icon = typeof item.icon === 'string' ? electron.nativeImage.createFromPath(item.icon) : item.icon
      drags.push({ files: [...(item.files ?? [item.file])], icon: icon.getSize() })
    })
  })
  app.on('browser-window-created', (_event, window) => {
    const { id } = window
    replace(window, 'setProgressBar', (original) => (value, more) => {
      progress.set(id, value)
      original(value, more)
    })
  })

  // --- what a test may ask
  const describe = (item: Electron.MenuItem): ShownItem => ({
    label: item.label,
    type: item.type,
    role: item.role ?? null,
    enabled: item.enabled,
    visible: item.visible,
    checked: item.checked,
    accelerator: item.accelerator ? String(item.accelerator) : null,
    items: item.submenu ? item.submenu.items.map(describe) : [],
  })
  const menuOf = (of: 'tray' | 'dock' | 'app'): Electron.Menu | null => {
    if (of === 'tray') return tray ? trayFacts.menu : null
    return of === 'dock' ? dockMenu : electron.Menu.getApplicationMenu()
  }
  const click = (of: 'tray' | 'dock' | 'app', path: readonly string[]): void => {
    let menu = menuOf(of)
    let found: Electron.MenuItem | undefined
    for (const label of path) {
      found = menu?.items.find((item) => item.label === label && item.visible)
      if (!found) {
        const there = menu?.items.map((item) => item.label).join(', ') ?? 'no menu'
        throw new Error(`there is no ${label} in the ${of} menu: ${there}`)
      }
      if (!found.enabled) throw new Error(`${path.join(' > ')} is greyed`)
      menu = found.submenu ?? null
    }
    const window = electron.BrowserWindow.getFocusedWindow() ?? undefined
    found?.click({}, window, window?.webContents)
  }
  const windowFacts = (window: Electron.BrowserWindow): Records['windows'][number] => ({
    id: window.id,
    url: window.webContents.getURL(),
    title: window.getTitle(),
    isVisible: window.isVisible(),
    isFocused: window.isFocused(),
    isMinimized: window.isMinimized(),
    isMaximized: window.isMaximized(),
    isFullScreen: window.isFullScreen(),
    bounds: window.getBounds(),
    progress: progress.get(window.id) ?? null,
    preferences: JSON.parse(
      JSON.stringify(
        (
          window.webContents as unknown as { getLastWebPreferences(): object | null }
        ).getLastWebPreferences() ?? {},
      ),
    ),
  })
  const records = (): Records => ({
    windows: electron.BrowserWindow.getAllWindows().map(windowFacts),
    tray: tray
      ? {
          icon: trayFacts.icon,
          isTemplate: trayFacts.isTemplate,
          tooltip: trayFacts.tooltip,
          title: trayFacts.title,
          menus: trayFacts.menus,
        }
      : null,
    notifications: notifications.map(({ shown, isClosed }, id) => ({
      id,
      title: shown.title,
      body: shown.body,
      actions: shown.actions.map((action) => action.text ?? ''),
      isClosed,
    })),
    dialogs: dialogs.asked(),
    errors: dialogs.errors,
    opened,
    revealed,
    drags,
    refusedDrags,
    badge,
    loginItem,
    schemes: [...schemes],
    shortcuts: [...shortcuts.keys()],
    blockers: [...blockers.values()],
  })
  const event = (more: object = {}): object => ({ defaultPrevented: false, preventDefault() {}, ...more })
  const act = (id: number, action: 'click' | 'close' | number): void => {
    const found = notifications[id]
    if (!found || found.isClosed) throw new Error(`there is no notification ${id} to use`)
    const emit = found.shown.emit.bind(found.shown) as (name: string, ...args: unknown[]) => boolean
    if (action === 'close') {
      found.isClosed = true
      emit('close', event({ reason: 'userCanceled' }))
    } else if (action === 'click') emit('click', event())
    else if (found.shown.actions[action])
      emit('action', event({ actionIndex: action, selectionIndex: -1 }), action, -1)
    else throw new Error(`notification ${id} has no action ${action}`)
  }
  const power = (name: string): boolean => {
    let isHeld = false
    const emit = powerMonitor.emit.bind(powerMonitor) as (name: string, ...args: unknown[]) => boolean
    const isBattery = name === 'on-battery'
    if (isBattery || name === 'on-ac') {
      for (const [key, value] of [['onBatteryPower', isBattery]] as const) {
        Object.defineProperty(powerMonitor, key, { value, configurable: true, writable: true })
      }
      replace(powerMonitor, 'isOnBatteryPower', () => () => isBattery)
    }
    emit(
      name,
      event({
        preventDefault() {
          isHeld = true
        },
      }),
    )
    return isHeld
  }

  return async (request) => {
    switch (request.do) {
      case 'records':
        return structuredClone(records())
      case 'menu':
        return menuOf(request.of)?.items.map(describe) ?? null
      case 'click':
        return click(request.of, request.path)
      case 'click-tray-icon':
        if (!tray) throw new Error('there is no tray')
        tray.emit('click', event({ altKey: false, ctrlKey: false, metaKey: false, shiftKey: false }))
        return
      case 'answer':
        return dialogs.answer(request.answer)
      case 'power':
        return power(request.event)
      case 'notification':
        return act(request.id, request.action)
      case 'app-event':
        return void app.emit(request.event, event(), request.value)
      case 'activate':
        return void app.emit('activate', event(), electron.BrowserWindow.getAllWindows().length > 0)
      case 'shortcut': {
        const callback = shortcuts.get(request.accelerator)
        if (!callback) throw new Error(`${request.accelerator} is not registered`)
        return callback()
      }
      case 'close-window':
        for (const window of electron.BrowserWindow.getAllWindows()) window.close()
        return
      case 'quit':
        return void setImmediate(() => app.quit())
      case 'evaluate':
        // biome-ignore lint/security/noGlobalEval: a test's own function, as text
        return globalThis.eval(`(${request.code})`)(electron, request.argument)
    }
  }
}
