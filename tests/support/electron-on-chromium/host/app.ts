import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CommandLine } from './command-line.ts'
import { DockStandIn } from './dock.ts'
import { makeEvent } from './event.ts'
import { standIn } from './runtime.ts'
import { type SecondInstance, takeSingleInstanceLock } from './single-instance.ts'
import { notHere, strict } from './strict.ts'

type Paths = Record<string, string>

class AppStandIn extends EventEmitter {
  name = 'Electron'
  applicationMenu: unknown = null
  badgeCount = 0
  userAgentFallback = 'Chromium'
  readonly isPackaged = process.env.STANDIN_PACKAGED === '1'
  readonly commandLine = strict('app.commandLine', new CommandLine())
  readonly dock = process.platform === 'darwin' ? strict('app.dock', new DockStandIn()) : undefined
  isHiddenOnMac = false
  closeWindows: () => number = () => 0
  destroyWindows: () => void = () => undefined
  countWindows: () => number = () => 0
  private root = ''
  private version = ''
  private paths: Paths = {}
  private lock: { release(): void } | undefined
  private isQuitting = false
  private isSandboxed = false
  private loginItem: Record<string, unknown> = { openAtLogin: false }
  private readonly clients = new Set<string>()
  private readonly early: SecondInstance[] = []
  private readonly ready: Promise<void>
  private becomeReady: () => void = () => undefined

  constructor() {
    super()
    this.ready = new Promise((settle) => {
      this.becomeReady = settle
    })
    standIn.userData = () => this.getPath('userData')
  }

  // --- what Electron offers

  whenReady(): Promise<void> {
    return this.ready
  }

  isReady(): boolean {
    return standIn.isReady
  }

  quit(): void {
    if (this.isQuitting) return
    const event = makeEvent({})
    this.emit('before-quit', event)
    if (event.defaultPrevented) return
    this.isQuitting = true
    setImmediate(() => this.closeAndEnd())
  }

  exit(code = 0): void {
    this.destroyWindows()
    void this.end(code)
  }

  relaunch(): void {
    notHere('app.relaunch')
  }

  focus(): void {}

  hide(): void {
    this.isHiddenOnMac = true
  }

  show(): void {
    this.isHiddenOnMac = false
  }

  isHidden(): boolean {
    return this.isHiddenOnMac
  }

  getName(): string {
    return this.name
  }

  setName(name: string): void {
    this.name = name
  }

  getVersion(): string {
    return this.version
  }

  getAppPath(): string {
    return this.root
  }

  getLocale(): string {
    return 'en-US'
  }

  getSystemLocale(): string {
    return 'en-US'
  }

  getPreferredSystemLanguages(): string[] {
    return ['en-US']
  }

  getPath(name: string): string {
    const path = this.paths[name]
    if (path === undefined) throw new Error(`Failed to get '${name}' path`)
    return path
  }

  setPath(name: string, path: string): void {
    if (this.paths[name] === undefined) throw new Error(`Failed to set path for '${name}'`)
    if (!path.startsWith('/')) throw new Error('Path must be absolute')
    if (name === 'userData' && (this.lock || standIn.startedChromium())) {
      throw new Error('userData was in use when it was set: set it first of all')
    }
    this.paths = { ...this.paths, [name]: path, ...(name === 'userData' ? { sessionData: path } : {}) }
  }

  setAppLogsPath(path?: string): void {
    if (path) this.setPath('logs', path)
  }

  enableSandbox(): void {
    if (standIn.isReady) throw new Error('app.enableSandbox() can only be called before app is ready')
    this.isSandboxed = true
  }

  /** @internal */
  hasSandbox(): boolean {
    return this.isSandboxed
  }

  disableHardwareAcceleration(): void {
    if (standIn.isReady) {
      throw new Error('app.disableHardwareAcceleration() can only be called before app is ready')
    }
  }

  requestSingleInstanceLock(additionalData?: unknown): boolean {
    if (this.lock) return true
    const told = { argv: process.argv, cwd: process.cwd(), additionalData: additionalData ?? null }
    const lock = takeSingleInstanceLock(this.getPath('userData'), told, (second) => this.second(second))
    if (!lock) return false
    this.lock = lock
    // The browser starts while the entry is still being evaluated, as it does in Electron.
    standIn.chromium().catch((error: unknown) => {
      console.error(error)
      process.exit(70)
    })
    return true
  }

  hasSingleInstanceLock(): boolean {
    return this.lock !== undefined
  }

  releaseSingleInstanceLock(): void {
    this.lock?.release()
    this.lock = undefined
  }

  setAsDefaultProtocolClient(scheme: string): boolean {
    if (!/^[a-z][a-z0-9+.-]*$/i.test(scheme))
      throw new Error(`a scheme without "://" is needed, not ${scheme}`)
    this.clients.add(scheme)
    return true
  }

  removeAsDefaultProtocolClient(scheme: string): boolean {
    return this.clients.delete(scheme)
  }

  isDefaultProtocolClient(scheme: string): boolean {
    return this.clients.has(scheme)
  }

  setLoginItemSettings(settings: Record<string, unknown>): void {
    this.onlyWithDesktop('setLoginItemSettings')
    this.loginItem = { ...this.loginItem, ...settings }
  }

  getLoginItemSettings(): Record<string, unknown> {
    this.onlyWithDesktop('getLoginItemSettings')
    return {
      wasOpenedAtLogin: process.env.STANDIN_OPENED_AT_LOGIN === '1',
      status: 'enabled',
      ...this.loginItem,
    }
  }

  setBadgeCount(count = 0): boolean {
    this.badgeCount = count
    return true
  }

  getBadgeCount(): number {
    return this.badgeCount
  }

  setAppUserModelId(): void {}
  setAboutPanelOptions(): void {}
  showAboutPanel(): void {}
  setActivationPolicy(policy: string): void {
    if (process.platform !== 'darwin') throw new TypeError('app.setActivationPolicy is not a function')
    if (!['regular', 'accessory', 'prohibited'].includes(policy)) throw new Error(`no such policy: ${policy}`)
  }

  addRecentDocument(): void {}
  clearRecentDocuments(): void {}
  setDesktopName(): void {}
  isEmojiPanelSupported(): boolean {
    return false
  }

  isUnityRunning(): boolean {
    return false
  }

  isInApplicationsFolder(): boolean {
    return true
  }

  getGPUFeatureStatus(): object {
    return {}
  }

  getAppMetrics(): object[] {
    return []
  }

  // --- what the stand-in's parts need

  /** @internal reads what Electron knows from the app's manifest and the command line */
  begin(root: string): void {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, string>
    this.root = root
    this.name = manifest.productName ?? manifest.name ?? 'Electron'
    this.version = manifest.version ?? '0.0.0'
    const home = process.env.HOME || homedir()
    const appData =
      process.platform === 'darwin'
        ? join(home, 'Library/Application Support')
        : process.env.XDG_CONFIG_HOME || join(home, '.config')
    const given = this.commandLine.getSwitchValue('user-data-dir')
    const userData = given ? resolve(given) : join(appData, this.name)
    this.paths = {
      home,
      appData,
      userData,
      sessionData: userData,
      temp: tmpdir(),
      exe: process.execPath,
      module: process.execPath,
      desktop: join(home, 'Desktop'),
      documents: join(home, 'Documents'),
      downloads: join(home, 'Downloads'),
      music: join(home, 'Music'),
      pictures: join(home, 'Pictures'),
      videos: join(home, 'Videos'),
      logs: join(userData, 'logs'),
      crashDumps: join(userData, 'Crashpad'),
    }
  }

  /** @internal after the entry has been evaluated, never before */
  fireReady(): void {
    if (this.isQuitting) return
    this.emit('will-finish-launching')
    standIn.isReady = true
    this.emit('ready', makeEvent({}), {})
    this.becomeReady()
    for (const second of this.early.splice(0)) this.second(second)
  }

  /** @internal */
  windowClosed(left: number): void {
    if (left > 0 || this.isQuitting) return
    setImmediate(() => {
      if (this.isQuitting || this.countWindows() > 0) return
      if (this.listenerCount('window-all-closed') === 0) return this.quit()
      this.emit('window-all-closed')
    })
  }

  private second(second: SecondInstance): void {
    if (!standIn.isReady) return void this.early.push(second)
    this.emit('second-instance', makeEvent({}), [...second.argv], second.cwd, second.additionalData)
  }

  private onlyWithDesktop(name: string): void {
    if (process.platform === 'linux') throw new TypeError(`app.${name} is not a function`)
  }

  private closeAndEnd(): void {
    // A window that listens to `close` and forbids it stops the quit.
    if (this.closeWindows() > 0) {
      this.isQuitting = false
      return
    }
    const event = makeEvent({})
    this.emit('will-quit', event)
    if (event.defaultPrevented) {
      this.isQuitting = false
      return
    }
    void this.end(0)
  }

  private async end(code: number): Promise<void> {
    this.emit('quit', makeEvent({}), code)
    await standIn
      .startedChromium()
      ?.then((chromium) => chromium.close())
      .catch(() => undefined)
    standIn.server.close()
    process.exit(code)
  }
}

export const app = strict('app', new AppStandIn())
