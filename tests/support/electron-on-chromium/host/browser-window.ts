import { EventEmitter } from 'node:events'
import type { BrowserWindowConstructorOptions, Rectangle } from 'electron'
import { app } from './app.ts'
import { makeEvent } from './event.ts'
import { toImage } from './native-image.ts'
import { nativeTheme } from './native-theme.ts'
import { mustBeReady } from './runtime.ts'
import { WORK_AREA } from './screen.ts'
import { strict } from './strict.ts'
import { adopt, hearPopups } from './targets.ts'
import { WebContentsStandIn } from './web-contents.ts'
import { checkPreferences } from './web-preferences.ts'

const windows = new Map<number, BrowserWindow>()
let lastId = 0
let focused: BrowserWindow | null = null

/** A window: its page is real, its frame is numbers. */
export class BrowserWindow extends EventEmitter {
  readonly id: number
  readonly webContents: WebContentsStandIn
  private readonly options: BrowserWindowConstructorOptions
  private readonly contents: WebContentsStandIn
  private bounds: Rectangle
  private normal: Rectangle
  private mode: 'normal' | 'maximized' | 'minimized' | 'full' = 'normal'
  private isShown = false
  private isGone = false
  private isReadyToShow = false
  private title: string
  private minimum: readonly [number, number]
  /** As last set; what a taskbar would show. */
  progress = -1

  static getAllWindows(): BrowserWindow[] {
    return [...windows.values()]
  }

  static fromId(id: number): BrowserWindow | null {
    return windows.get(id) ?? null
  }

  static getFocusedWindow(): BrowserWindow | null {
    return focused
  }

  static fromWebContents(contents: WebContentsStandIn): BrowserWindow | null {
    return BrowserWindow.getAllWindows().find((each) => each.webContents.id === contents.id) ?? null
  }

  constructor(options: BrowserWindowConstructorOptions = {}) {
    super()
    mustBeReady('BrowserWindow')
    lastId += 1
    this.id = lastId
    this.options = options
    this.title = options.title ?? app.name
    this.minimum = [options.minWidth ?? 0, options.minHeight ?? 0]
    const { width = 800, height = 600 } = options
    this.bounds = {
      x: options.x ?? Math.round((WORK_AREA.width - width) / 2),
      y: options.y ?? Math.round((WORK_AREA.height - height) / 2),
      width: Math.max(width, this.minimum[0]),
      height: Math.max(height, this.minimum[1]),
    }
    this.normal = this.bounds
    this.contents = new WebContentsStandIn(checkPreferences(options.webPreferences ?? {}), this.bounds)
    this.webContents = this.contents.facade
    const facade = strict('BrowserWindow', this)
    windows.set(this.id, facade)
    this.contents.openWindow = (url, overrides) => this.openChild(url, overrides)
    this.contents.once('destroyed', () => this.ended())
    this.contents.on('-painted', () => this.painted())
    this.contents.on('did-finish-load', () => this.contents.mainFrame.url !== 'about:blank' && this.painted())
    this.contents.on('page-title-updated', (_event: unknown, title: string) => this.retitle(title))
    this.applyBounds()
    this.applyTheme()
    nativeTheme.on('updated', this.applyTheme)
    app.emit('web-contents-created', makeEvent({}), this.webContents)
    app.emit('browser-window-created', makeEvent({}), facade)
    if (options.show !== false) this.show()
    // biome-ignore lint/correctness/noConstructorReturn: unknown members must throw
    return facade
  }

  loadURL(url: string): Promise<void> {
    this.mustLive()
    return this.contents.loadURL(url)
  }

  show(): void {
    this.showInactive()
    this.focus()
  }

  showInactive(): void {
    this.mustLive()
    if (this.mode === 'minimized') this.mode = 'normal'
    if (this.isShown) return
    this.isShown = true
    this.emit('show', makeEvent({}))
  }

  hide(): void {
    this.mustLive()
    this.blur()
    if (!this.isShown) return
    this.isShown = false
    this.emit('hide', makeEvent({}))
  }

  focus(): void {
    this.mustLive()
    if (!this.isShown || focused?.id === this.id) return
    focused?.blur()
    focused = windows.get(this.id) ?? null
    this.contents.focus()
    this.emit('focus', makeEvent({}))
    app.emit('browser-window-focus', makeEvent({}), windows.get(this.id))
  }

  blur(): void {
    if (focused?.id !== this.id) return
    focused = null
    this.emit('blur', makeEvent({}))
    app.emit('browser-window-blur', makeEvent({}), windows.get(this.id))
  }

  isFocused(): boolean {
    return focused?.id === this.id
  }

  isVisible(): boolean {
    this.mustLive()
    return this.isShown && this.mode !== 'minimized'
  }

  isDestroyed(): boolean {
    return this.isGone
  }

  /** As a person's click on the close button: listeners may keep the window. */
  close(): void {
    if (this.isGone) return
    const event = makeEvent({})
    this.emit('close', event)
    if (!event.defaultPrevented) this.destroy()
  }

  destroy(): void {
    if (this.isGone) return
    this.contents.destroyPage().catch(() => undefined)
  }

  minimize(): void {
    this.mustLive()
    this.mode = 'minimized'
    this.emit('minimize', makeEvent({}))
  }

  isMinimized(): boolean {
    return this.mode === 'minimized'
  }

  restore(): void {
    this.mustLive()
    if (this.mode !== 'minimized') return
    this.mode = 'normal'
    this.emit('restore', makeEvent({}))
  }

  maximize(): void {
    this.mustLive()
    this.isShown = true
    if (this.mode === 'maximized') return
    this.normal = this.bounds
    this.mode = 'maximized'
    this.resizeTo(WORK_AREA)
    this.emit('maximize', makeEvent({}))
  }

  unmaximize(): void {
    this.mustLive()
    if (this.mode !== 'maximized') return
    this.mode = 'normal'
    this.resizeTo(this.normal)
    this.emit('unmaximize', makeEvent({}))
  }

  isMaximized(): boolean {
    return this.mode === 'maximized'
  }

  setFullScreen(isFull: boolean): void {
    this.mustLive()
    if (isFull === (this.mode === 'full')) return
    if (isFull) this.normal = this.bounds
    this.mode = isFull ? 'full' : 'normal'
    this.resizeTo(isFull ? WORK_AREA : this.normal)
    this.emit(isFull ? 'enter-full-screen' : 'leave-full-screen', makeEvent({}))
  }

  isFullScreen(): boolean {
    return this.mode === 'full'
  }

  isNormal(): boolean {
    return this.mode === 'normal'
  }

  getBounds(): Rectangle {
    this.mustLive()
    return { ...this.bounds }
  }

  getContentBounds(): Rectangle {
    return this.getBounds()
  }

  getNormalBounds(): Rectangle {
    this.mustLive()
    return { ...(this.mode === 'normal' ? this.bounds : this.normal) }
  }

  setBounds(wanted: Partial<Rectangle>): void {
    this.mustLive()
    const { x, y, width, height } = { ...this.bounds, ...wanted }
    for (const each of [x, y, width, height]) {
      if (!Number.isInteger(each))
        throw new TypeError('Error processing argument at index 0, conversion failure')
    }
    const next = { x, y, width: Math.max(width, this.minimum[0]), height: Math.max(height, this.minimum[1]) }
    const hasMoved = next.x !== this.bounds.x || next.y !== this.bounds.y
    const isResized = next.width !== this.bounds.width || next.height !== this.bounds.height
    this.resizeTo(next)
    if (hasMoved) for (const name of ['move', 'moved']) this.emit(name, makeEvent({}))
    if (isResized) for (const name of ['resize', 'resized']) this.emit(name, makeEvent({}))
  }

  getSize(): [number, number] {
    const { width, height } = this.getBounds()
    return [width, height]
  }

  setSize(width: number, height: number): void {
    this.setBounds({ width, height })
  }

  setContentSize(width: number, height: number): void {
    this.setBounds({ width, height })
  }

  getPosition(): [number, number] {
    const { x, y } = this.getBounds()
    return [x, y]
  }

  setPosition(x: number, y: number): void {
    this.setBounds({ x, y })
  }

  center(): void {
    const { width, height } = this.bounds
    const x = Math.round((WORK_AREA.width - width) / 2)
    this.setBounds({ x, y: Math.round((WORK_AREA.height - height) / 2) })
  }

  setMinimumSize(width: number, height: number): void {
    this.minimum = [width, height]
  }

  getMinimumSize(): [number, number] {
    return [this.minimum[0], this.minimum[1]]
  }

  getTitle(): string {
    return this.title
  }

  setTitle(title: string): void {
    this.mustLive()
    this.title = title
  }

  setProgressBar(progress: number): void {
    this.mustLive()
    if (typeof progress !== 'number') throw new TypeError('Error processing argument at index 0')
    this.progress = progress
  }

  setIcon(icon: unknown): void {
    if (toImage(icon).isEmpty()) throw new Error('the stand-in takes no empty icon')
  }

  setBackgroundColor(color: string): void {
    if (!/^#[0-9a-f]{3,8}$/i.test(color)) throw new Error(`not a colour: ${color}`)
  }

  setVibrancy(): void {}
  setTitleBarOverlay(): void {}
  setWindowButtonPosition(): void {}
  setWindowButtonVisibility(): void {}
  setRepresentedFilename(): void {}
  setDocumentEdited(): void {}
  setMenuBarVisibility(): void {}
  setAutoHideMenuBar(): void {}
  removeMenu(): void {}
  setMenu(): void {}
  flashFrame(): void {}
  moveTop(): void {}
  setSkipTaskbar(): void {}
  isResizable(): boolean {
    return this.options.resizable !== false
  }

  isAlwaysOnTop(): boolean {
    return false
  }

  private mustLive(): void {
    if (this.isGone) throw new TypeError('Object has been destroyed')
  }

  private painted(): void {
    if (this.isReadyToShow || this.isGone) return
    this.isReadyToShow = true
    this.emit('ready-to-show', makeEvent({}))
  }

  private retitle(title: string): void {
    const event = makeEvent({})
    this.emit('page-title-updated', event, title, true)
    if (!event.defaultPrevented) this.title = title
  }

  private resizeTo(bounds: Rectangle): void {
    this.bounds = { ...bounds }
    this.applyBounds()
  }

  private applyBounds(): void {
    const { width, height } = this.bounds
    this.contents
      .cdp('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 0, mobile: false })
      .catch(() => undefined)
  }

  private readonly applyTheme = (): void => {
    const value = nativeTheme.shouldUseDarkColors ? 'dark' : 'light'
    const features = [{ name: 'prefers-color-scheme', value }]
    this.contents.cdp('Emulation.setEmulatedMedia', { features }).catch(() => undefined)
  }

  private openChild(url: string, overrides: object): void {
    const child = new BrowserWindow({ ...this.options, ...overrides, show: true })
    this.contents.emit('did-create-window', child, { url })
    child.loadURL(url).catch(() => undefined)
  }

  private ended(): void {
    this.isGone = true
    nativeTheme.off('updated', this.applyTheme)
    if (focused?.id === this.id) focused = null
    windows.delete(this.id)
    this.emit('closed')
    app.windowClosed(windows.size)
  }
}

// A link to a new window opens one in Chromium before anyone can be asked; it is paused until the handler has spoken.
hearPopups((target) => {
  adopt(target)
  const opener = BrowserWindow.getAllWindows().find(
    (each) => each.webContents.target?.targetId === target.openerId,
  )
  const [first] = BrowserWindow.getAllWindows()
  const asked = opener ?? first
  asked?.webContents.closePopup(target).catch(() => undefined)
})

app.closeWindows = () => {
  for (const window of BrowserWindow.getAllWindows()) window.close()
  return windows.size
}
app.countWindows = () => windows.size
app.destroyWindows = () => {
  for (const window of BrowserWindow.getAllWindows()) window.destroy()
}
