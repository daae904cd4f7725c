import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { Script } from 'node:vm'
import type { Item, WebPreferences } from 'electron'
import { makeCodec } from '../page/codec.ts'
import { pageWorldSource, preloadWorldSource, wrapPreload } from '../page/injected.ts'
import type { FromPage, ToPage } from '../page/preload-world.ts'
import type { Params } from './cdp.ts'
import { checkDrag } from './drag.ts'
import { makeEvent } from './event.ts'
import { answerInvoke, deliver } from './ipc-main.ts'
import { type MessagePortMain, PagePorts } from './message-ports.ts'
import { navigationEvent, watchNavigation } from './navigation.ts'
import { standIn } from './runtime.ts'
import { applyPermission, askPermission, defaultSession } from './session.ts'
import { strict } from './strict.ts'
import { createTarget, type Target } from './targets.ts'
import { makeFrame, type WebFrame } from './web-frame.ts'

const BINDING = '__standinToMain'
const RECEIVER = '__standinFromMain'
const WORLD = 'standin-preload'
/** What the page is told of at its start; asked of the handler before each document. */
const CHECKED = [
  'notifications',
  'geolocation',
  'clipboard-read',
  'clipboard-sanitized-write',
  'media',
  'midi',
]

type OpenHandler = (details: { url: string; frameName: string; features: string; disposition: string }) => {
  action: string
  overrideBrowserWindowOptions?: object
}

const codec = makeCodec()
const all = new Map<number, WebContentsStandIn>()
let lastId = 0

/** One page, as the main process sees it. */
export class WebContentsStandIn extends EventEmitter {
  readonly id: number
  readonly session = defaultSession
  readonly preferences: WebPreferences
  readonly mainFrame: WebFrame
  /** What the app holds. */
  readonly facade: WebContentsStandIn
  /** When the page's last `dragstart` came. */
  lastDragStart = Number.NEGATIVE_INFINITY
  /** Called with what a page asks to open, when the handler allows it. */
  openWindow: (url: string, options: object) => void = () => undefined
  title = ''
  isGone = false
  target: Target | undefined
  private readonly frames = new Map<string, WebFrame>()
  private readonly contexts = new Map<number, { readonly frame: WebFrame; readonly uniqueId: string }>()
  private readonly ports: PagePorts
  private readonly started: Promise<Target>
  private openHandler: OpenHandler | undefined
  private isLoadingNow = false
  private lastOpen: { readonly url: string; readonly features: string } | undefined
  private loads: { readonly url: string; resolve(): void; reject(error: Error): void } | undefined

  constructor(
    preferences: WebPreferences,
    size: { readonly width: number; readonly height: number },
    given?: Target,
  ) {
    super()
    lastId += 1
    this.id = lastId
    this.preferences = preferences
    this.facade = strict('WebContents', this)
    this.mainFrame = makeFrame(this, null)
    this.ports = new PagePorts((message) => {
      if ('isClosed' in message) this.tell(this.mainFrame, { kind: 'port-closed', port: message.port })
      else this.tell(this.mainFrame, { kind: 'port', port: message.port, body: codec.encode(message.data) })
    })
    all.set(this.id, this)
    this.started = (given ? Promise.resolve(given) : createTarget(size)).then((target) => this.begin(target))
    this.started.catch((error: unknown) => {
      if (!this.isGone) console.error('the page could not be opened:', error)
    })
  }

  // --- what Electron offers

  loadURL(url: string): Promise<void> {
    this.mustLive()
    return this.load(url, () => this.cdp('Page.navigate', { url: standIn.server.toChromium(url) }))
  }

  loadFile(path: string): Promise<void> {
    return this.loadURL(`file://${path}`)
  }

  reload(): void {
    this.mustLive()
    this.cdp('Page.reload', {}).catch(() => undefined)
  }

  reloadIgnoringCache(): void {
    this.reload()
  }

  stop(): void {
    this.cdp('Page.stopLoading', {}).catch(() => undefined)
  }

  getURL(): string {
    return this.mainFrame.url === 'about:blank' ? '' : this.mainFrame.url
  }

  getTitle(): string {
    return this.title
  }

  getType(): string {
    return 'window'
  }

  isDestroyed(): boolean {
    return this.isGone
  }

  isCrashed(): boolean {
    return false
  }

  isLoading(): boolean {
    return this.isLoadingNow
  }

  isFocused(): boolean {
    return true
  }

  focus(): void {
    this.cdp('Page.bringToFront', {}).catch(() => undefined)
  }

  getLastWebPreferences(): WebPreferences {
    return { ...this.preferences }
  }

  setWindowOpenHandler(handler: OpenHandler): void {
    this.openHandler = handler
  }

  send(channel: string, ...args: unknown[]): void {
    this.mustLive()
    this.sendTo(this.mainFrame, channel, args)
  }

  postMessage(channel: string, message: unknown, transfer: readonly MessagePortMain[] = []): void {
    this.mustLive()
    const body = codec.encode([message])
    const ports = transfer.map((port) => this.ports.toPage(port))
    this.tell(this.mainFrame, { kind: 'send', channel: String(channel), body, ports })
  }

  startDrag(item: Item): void {
    this.mustLive()
    checkDrag(item, this.lastDragStart)
  }

  executeJavaScript(code: string): Promise<unknown> {
    this.mustLive()
    return this.evaluate(this.mainFrame, code)
  }

  async insertCSS(css: string): Promise<string> {
    await this.executeJavaScript(
      `document.adoptedStyleSheets.push(Object.assign(new CSSStyleSheet(), {})); document.adoptedStyleSheets.at(-1).replaceSync(${JSON.stringify(css)})`,
    )
    return 'css'
  }

  setZoomFactor(factor: number): void {
    if (!(factor > 0)) throw new Error("'zoomFactor' must be a double greater than 0.0")
  }

  setZoomLevel(): void {}
  getZoomLevel(): number {
    return 0
  }

  getZoomFactor(): number {
    return 1
  }

  setVisualZoomLevelLimits(): Promise<void> {
    return Promise.resolve()
  }

  setBackgroundThrottling(): void {}
  openDevTools(): void {}
  closeDevTools(): void {}
  toggleDevTools(): void {}
  isDevToolsOpened(): boolean {
    return false
  }

  forcefullyCrashRenderer(): void {
    this.cdp('Page.crash', {}).catch(() => undefined)
  }

  getOSProcessId(): number {
    return 0
  }

  // --- what the stand-in's parts need

  /** @internal a command to the page's target, in the order of the calls */
  cdp<T extends Params = Params>(method: string, params: Params): Promise<T> {
    return this.started.then(async ({ sessionId }) => {
      const { cdp } = await standIn.chromium()
      return cdp.send<T>(method, params, sessionId)
    })
  }

  /** @internal ends the page */
  async destroyPage(): Promise<void> {
    if (this.isGone) return
    this.gone()
    const { targetId } = await this.started
    const { cdp } = await standIn.chromium()
    await cdp.send('Target.closeTarget', { targetId })
  }

  /** @internal tells the preload which paths belong to files that are about to be dropped */
  knowFiles(paths: Readonly<Record<string, string>>): Promise<void> {
    return this.tell(this.mainFrame, { kind: 'files', paths })
  }

  sendTo(frame: WebFrame, channel: string, args: readonly unknown[]): void {
    if (typeof channel !== 'string') throw new TypeError('channel must be a string')
    this.tell(frame, { kind: 'send', channel, body: codec.encode([...args]), ports: [] })
  }

  async evaluate(frame: WebFrame, code: string): Promise<unknown> {
    const params = { expression: code, awaitPromise: true, returnByValue: true, userGesture: true }
    const context = frame.contexts.page
    const answer = await this.cdp<{ result: { value?: unknown }; exceptionDetails?: { text: string } }>(
      'Runtime.evaluate',
      context && frame !== this.mainFrame ? { ...params, uniqueContextId: context } : params,
    )
    if (answer.exceptionDetails) throw new Error('Script failed to execute')
    return answer.result.value
  }

  // --- the page's life

  private async begin(target: Target): Promise<Target> {
    const { cdp } = await standIn.chromium()
    this.target = target
    this.frames.set(target.targetId, this.mainFrame)
    const send = <T extends Params>(method: string, params: Params): Promise<T> =>
      cdp.send<T>(method, params, target.sessionId)
    const navigation = watchNavigation({
      send,
      frameOf: (id) => this.frames.get(id),
      emit: (name, frame, url, isSameDocument) => this.emitNavigation(name, frame, url, isSameDocument),
      external: (url) => this.openExternal(url),
    })
    cdp.on(target.sessionId, (method, params) => {
      navigation(method, params)
      this.hear(method, params)
    })
    cdp.on(undefined, (method, params) => {
      if (method === 'Target.detachedFromTarget' && params.sessionId === target.sessionId) this.gone()
      if (method === 'Target.targetInfoChanged') this.retitle(params.targetInfo as Params)
    })
    await Promise.all([
      send('Page.enable', {}),
      send('Page.setLifecycleEventsEnabled', { enabled: true }),
      send('Runtime.enable', {}),
      send('Runtime.addBinding', { name: BINDING, executionContextName: WORLD }),
      send('Page.addScriptToEvaluateOnNewDocument', { source: pageWorldSource(standIn.secret) }),
      send('Page.addScriptToEvaluateOnNewDocument', { source: this.preloadSource(), worldName: WORLD }),
      send('Fetch.enable', { patterns: [{ urlPattern: '*', resourceType: 'Document' }] }),
      send('Runtime.runIfWaitingForDebugger', {}),
    ])
    return target
  }

  private preloadSource(): string {
    const { preload } = this.preferences
    let source: string | null = null
    try {
      source = preload ? readFileSync(preload, 'utf8') : null
      // Text that does not compile would take the whole injected script with it.
      new Script(`(${wrapPreload(source ?? '')})`)
    } catch (error) {
      this.preloadFailed(String(error))
      source = null
    }
    const process = {
      type: 'renderer',
      sandboxed: true,
      contextIsolated: true,
      platform: globalThis.process.platform,
      arch: globalThis.process.arch,
      versions: { electron: globalThis.process.versions.electron, chrome: '156.0.0.0' },
      argv: [],
      env: {},
    }
    return preloadWorldSource(
      standIn.secret,
      { binding: BINDING, receiver: RECEIVER, hasPreload: source !== null, process },
      source,
    )
  }

  private preloadFailed(message: string): void {
    console.error(`Unable to load preload script: ${this.preferences.preload}\n${message}`)
    setImmediate(() =>
      this.emit('preload-error', makeEvent({}), this.preferences.preload, new Error(message)),
    )
  }

  private gone(): void {
    if (this.isGone) return
    this.isGone = true
    this.mainFrame.detached = true
    all.delete(this.id)
    this.ports.closeAll()
    this.loads?.reject(new Error(`ERR_ABORTED (-3) loading '${this.loads.url}'`))
    this.emit('destroyed')
  }

  private mustLive(): void {
    if (this.isGone) throw new TypeError('Object has been destroyed')
  }

  private load(url: string, start: () => Promise<Params>): Promise<void> {
    this.loads?.reject(new Error(`ERR_ABORTED (-3) loading '${this.loads.url}'`))
    return new Promise((resolve, reject) => {
      const mine = { url, resolve, reject }
      this.loads = mine
      start().then(({ errorText }) => {
        if (!errorText || this.loads !== mine) return
        this.loads = undefined
        const text = String(errorText).replace('net::', '')
        this.emit('did-fail-load', makeEvent({}), -2, text, url, true)
        reject(new Error(`${text} (-2) loading '${url}'`))
      }, reject)
    })
  }

  private tell(frame: WebFrame, message: ToPage): Promise<void> {
    const expression = `${RECEIVER}(${JSON.stringify(JSON.stringify(message))})`
    return this.started
      .then(async () => {
        const uniqueContextId = frame.contexts.preload
        // As in Electron, nobody hears what is sent before a document is there.
        if (uniqueContextId) await this.cdp('Runtime.evaluate', { expression, uniqueContextId })
      })
      .catch(() => undefined)
  }

  private emitNavigation(name: string, frame: WebFrame, url: string, isSameDocument: boolean): boolean {
    const event = navigationEvent(frame, url, isSameDocument)
    this.emit(name, event, url, isSameDocument, frame.parent === null, frame.processId, frame.routingId)
    return event.defaultPrevented
  }

  private retitle({ targetId, title }: Params): void {
    if (targetId !== this.target?.targetId || title === this.title) return
    this.title = String(title)
    this.emit('page-title-updated', makeEvent({}), this.title, true)
  }

  private hear(method: string, params: Params): void {
    switch (method) {
      case 'Runtime.bindingCalled':
        return this.fromPage(params)
      case 'Runtime.executionContextCreated':
        return this.newContext(params.context as Params)
      case 'Runtime.executionContextDestroyed':
        return this.endContext(Number(params.executionContextId))
      case 'Runtime.executionContextsCleared':
        for (const id of [...this.contexts.keys()]) this.endContext(id)
        return
      case 'Page.frameAttached': {
        const parent = this.frames.get(String(params.parentFrameId)) ?? this.mainFrame
        this.frames.set(String(params.frameId), makeFrame(this, parent))
        return
      }
      case 'Page.frameDetached':
        return this.dropFrame(String(params.frameId))
      case 'Page.frameStartedNavigating':
        return this.startedNavigating(params)
      case 'Page.frameNavigated':
        return this.navigated(params.frame as Params)
      case 'Page.navigatedWithinDocument':
        return this.navigatedWithin(params)
      case 'Page.domContentEventFired':
        return void this.emit('dom-ready', makeEvent({}))
      case 'Page.loadEventFired':
        return this.finished()
      case 'Page.windowOpen':
        this.lastOpen = { url: String(params.url), features: (params.windowFeatures as string[]).join(',') }
        return
      case 'Page.lifecycleEvent':
        if (params.name === 'firstPaint' && params.frameId === this.target?.targetId) this.emit('-painted')
        return
      case 'Inspector.targetCrashed':
        this.emit('render-process-gone', makeEvent({}), { reason: 'crashed', exitCode: 1 })
        return
      case 'Runtime.consoleAPICalled': {
        const args = (params.args as readonly { value?: unknown; description?: string }[]) ?? []
        const message = args.map((each) => String(each.value ?? each.description)).join(' ')
        this.emit(
          'console-message',
          makeEvent({ message, level: params.type === 'error' ? 'error' : 'info' }),
        )
        return
      }
    }
  }

  private newContext({ id, uniqueId, name, auxData }: Params): void {
    const { frameId, isDefault } = auxData as { frameId: string; isDefault: boolean }
    const frame = this.frames.get(frameId)
    if (!frame) return
    this.contexts.set(Number(id), { frame, uniqueId: String(uniqueId) })
    if (isDefault) frame.contexts.page = String(uniqueId)
    else if (name === WORLD) frame.contexts.preload = String(uniqueId)
  }

  private endContext(id: number): void {
    const { frame, uniqueId } = this.contexts.get(id) ?? {}
    this.contexts.delete(id)
    if (!frame || frame.contexts.preload !== uniqueId) return
    frame.contexts.preload = undefined
    if (frame === this.mainFrame) this.ports.closeAll()
  }

  private dropFrame(id: string): void {
    const frame = this.frames.get(id)
    this.frames.delete(id)
    if (!frame) return
    frame.detached = true
    const siblings = frame.parent?.frames ?? []
    siblings.splice(siblings.indexOf(frame), 1)
  }

  private startedNavigating({ frameId, url, navigationType }: Params): void {
    const frame = this.frames.get(String(frameId))
    if (!frame) return
    if (frame === this.mainFrame && !this.isLoadingNow && navigationType !== 'sameDocument') {
      this.isLoadingNow = true
      this.emit('did-start-loading')
    }
    const address = standIn.server.fromChromium(String(url))
    this.emitNavigation('did-start-navigation', frame, address, navigationType === 'sameDocument')
  }

  private navigated({ id, url, name, parentId, urlFragment }: Params): void {
    const frame = this.frames.get(String(id))
    if (!frame) return
    frame.loaded = `${url}${urlFragment ?? ''}`
    frame.name = String(name ?? '')
    if (parentId !== undefined) return
    this.emit('did-navigate', makeEvent({}), frame.url, 200, 'OK')
  }

  private navigatedWithin({ frameId, url }: Params): void {
    const frame = this.frames.get(String(frameId))
    if (!frame) return
    frame.loaded = String(url)
    this.emit('did-navigate-in-page', makeEvent({}), frame.url, frame.parent === null)
  }

  private finished(): void {
    this.isLoadingNow = false
    this.emit('did-finish-load', makeEvent({}))
    this.emit('did-stop-loading')
    // The blank page that every window begins with is nobody's.
    if (this.mainFrame.loaded === 'about:blank' && this.loads?.url !== 'about:blank') return
    this.loads?.resolve()
    this.loads = undefined
  }

  // --- what comes from the page

  private fromPage({ payload, executionContextId, name }: Params): void {
    const frame = this.contexts.get(Number(executionContextId))?.frame
    if (name !== BINDING || !frame || this.isGone) return
    const message = JSON.parse(String(payload)) as FromPage
    switch (message.kind) {
      case 'send': {
        const ports = message.ports.map((port) => this.ports.fromPage(port))
        const event = this.ipcEvent(frame, ports)
        return deliver(event as never, message.channel, codec.decode(message.body) as unknown[])
      }
      case 'invoke':
        return void this.invoked(frame, message)
      case 'port':
        return this.ports.arrive(message.port, codec.decode(message.body))
      case 'port-closed':
        return this.ports.closedByPage(message.port)
      case 'drag-start':
        this.lastDragStart = performance.now()
        return
      case 'permission':
        return void this.permission(frame, message)
      case 'open':
        return this.asksToOpen(message.url, message.frameName, message.features, 'new-window')
      case 'preload-error':
        return this.preloadFailed(message.message)
    }
  }

  private ipcEvent(frame: WebFrame, ports: readonly MessagePortMain[]) {
    return makeEvent({
      type: 'frame',
      sender: this.facade,
      senderFrame: frame,
      frameId: frame.routingId,
      processId: frame.processId,
      ports,
      reply: (channel: string, ...args: unknown[]) => frame.send(channel, ...args),
    })
  }

  private async invoked(frame: WebFrame, message: Extract<FromPage, { kind: 'invoke' }>): Promise<void> {
    const { channel, id } = message
    const context = frame.contexts.preload
    const args = codec.decode(message.body) as unknown[]
    const answer = await answerInvoke(this.ipcEvent(frame, []) as never, channel, args)
    // The document that asked may have gone; its successor did not ask.
    if (this.isGone || frame.contexts.preload !== context) return
    if ('message' in answer) return void this.tell(frame, { kind: 'failed', id, message: answer.message })
    try {
      this.tell(frame, { kind: 'result', id, body: codec.encode(answer.value) })
    } catch {
      this.tell(frame, { kind: 'failed', id, message: 'Error: An object could not be cloned.' })
    }
  }

  private async permission(
    frame: WebFrame,
    { id, permission, isCheck }: Extract<FromPage, { kind: 'permission' }>,
  ): Promise<void> {
    const isGranted = await this.decide(frame, permission, isCheck)
    this.tell(frame, { kind: 'answer', id, isGranted })
  }

  private async decide(frame: WebFrame, permission: string, isCheck: boolean): Promise<boolean> {
    const asker = { url: frame.url, origin: frame.origin, isMainFrame: frame.parent === null }
    const isGranted = await askPermission(this.facade as never, permission, isCheck, asker)
    const { origin } = new URL(frame.loaded)
    if (origin !== 'null') await applyPermission(permission, origin, isGranted)
    return isGranted
  }

  /** @internal tells Chromium what the check handler says, before a document can look at it */
  async applyChecks(): Promise<void> {
    for (const permission of CHECKED) await this.decide(this.mainFrame, permission, true)
  }

  /** @internal a page wants a new window; the handler says whether it gets one */
  asksToOpen(address: string, frameName: string, features: string, disposition: string): void {
    const url = standIn.server.fromChromium(address)
    const answer = this.openHandler?.({ url, frameName, features, disposition }) ?? { action: 'allow' }
    if (answer.action === 'allow') this.openWindow(url, answer.overrideBrowserWindowOptions ?? {})
    else if (answer.action !== 'deny')
      throw new Error(`no such action of a window-open handler: ${answer.action}`)
  }

  /** @internal ends a window that Chromium opened for a link, and asks as for one of the page's script */
  closePopup(popup: Target): void {
    const close = async (): Promise<void> => {
      const { cdp } = await standIn.chromium()
      await cdp.send('Target.closeTarget', { targetId: popup.targetId })
    }
    close().catch(() => undefined)
    const { url = popup.url, features = '' } = this.lastOpen ?? {}
    this.asksToOpen(url, '', features, 'foreground-tab')
  }

  private openExternal(url: string): void {
    void askPermission(this.facade as never, 'openExternal', false, {
      url: this.mainFrame.url,
      origin: this.mainFrame.origin,
      isMainFrame: true,
    }).then((isGranted) => isGranted && this.emit('-external', url))
  }
}

/** Electron's `webContents` module. */
export const webContents = strict('webContents', {
  getAllWebContents: () => [...all.values()].map((each) => each.facade),
  fromId: (id: number) => all.get(id)?.facade,
  getFocusedWebContents: () => [...all.values()][0]?.facade ?? null,
})
