import { EventEmitter } from 'node:events'
import type { Item, WebPreferences } from 'electron'
import { pageWorldSource } from '../page/injected.ts'
import type { FromPage, ToPage } from '../page/preload-world.ts'
import { app } from './app.ts'
import type { Params } from './cdp.ts'
import { checkDrag } from './drag.ts'
import { makeEvent } from './event.ts'
import { createFrameTree, type FrameTree, WORLD } from './frame-tree.ts'
import type { MessagePortMain } from './message-ports.ts'
import { navigationEvent, watchNavigation } from './navigation.ts'
import { createPageIpc, type PageIpc } from './page-ipc.ts'
import { createPageLoads } from './page-loads.ts'
import { applyChecks, decidePermission, requestPermission } from './permissions.ts'
import { BINDING, preloadSource, RECEIVER } from './preload.ts'
import { standIn } from './runtime.ts'
import { defaultSession } from './session.ts'
import { strict } from './strict.ts'
import { shell } from './system.ts'
import { createTarget, type Target } from './targets.ts'
import type { WebFrame } from './web-frame.ts'

type OpenHandler = (details: Readonly<Record<'url' | 'frameName' | 'features' | 'disposition', string>>) => {
  action: string
  overrideBrowserWindowOptions?: object
}

const all = new Map<number, WebContentsStandIn>()
let lastId = 0

/** One page, as the main process sees it. */
export class WebContentsStandIn extends EventEmitter {
  readonly id: number
  readonly session = defaultSession
  /** What the app holds. */
  readonly facade: WebContentsStandIn
  /** When the page's last `dragstart` came. */
  lastDragStart = Number.NEGATIVE_INFINITY
  /** Called with what a page asks to open, when the handler allows it. */
  openWindow: (url: string, options: object) => void = () => undefined
  target: Target | undefined
  private readonly preferences: WebPreferences
  private readonly frames: FrameTree
  private readonly ipc: PageIpc
  private readonly started: Promise<Target>
  private title = ''
  private isGone = false
  private isLoadingNow = false
  private hasCrashed = false
  private openHandler: OpenHandler | undefined
  private lastOpen: { readonly url: string; readonly features: string } | undefined
  private readonly loads = createPageLoads((url, text) =>
    this.emit('did-fail-load', makeEvent({}), -2, text, url, true),
  )

  constructor(preferences: WebPreferences, size: { readonly width: number; readonly height: number }) {
    super()
    lastId += 1
    this.id = lastId
    this.preferences = preferences
    this.facade = strict('WebContents', this)
    this.frames = createFrameTree(this, (frame) => {
      if (frame === this.mainFrame) this.ipc.closePorts()
    })
    this.ipc = createPageIpc({
      sender: this.facade,
      main: this.frames.main,
      tell: (frame, message) => this.tell(frame, message),
    })
    all.set(this.id, this)
    this.started = createTarget(size).then((target) => this.begin(target))
    this.started.catch((error: unknown) => {
      if (!this.isGone) console.error('the page could not be opened:', error)
    })
  }

  // --- what Electron offers

  get mainFrame(): WebFrame {
    return this.frames.main
  }

  async loadURL(url: string): Promise<void> {
    this.mustLive()
    await applyChecks(this.facade, url)
    return this.loads.start(url, this.cdp('Page.navigate', { url: standIn.server.toChromium(url) }))
  }

  reload(): void {
    this.mustLive()
    this.cdp('Page.reload', {}).catch(() => undefined)
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

  isDestroyed(): boolean {
    return this.isGone
  }

  isCrashed(): boolean {
    return this.hasCrashed
  }

  isLoading(): boolean {
    return this.isLoadingNow
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
    this.ipc.send(this.mainFrame, channel, args)
  }

  postMessage(channel: string, message: unknown, transfer: readonly MessagePortMain[] = []): void {
    this.mustLive()
    this.ipc.post(this.mainFrame, channel, message, transfer)
  }

  startDrag(item: Item): void {
    this.mustLive()
    checkDrag(item, this.lastDragStart)
  }

  executeJavaScript(code: string): Promise<unknown> {
    this.mustLive()
    return this.evaluate(this.mainFrame, code)
  }

  toggleDevTools(): void {}

  forcefullyCrashRenderer(): void {
    this.cdp('Page.crash', {}).catch(() => undefined)
  }

  // --- what the stand-in's parts need

  /** @internal a command to the page, in the order of the calls */
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

  /** @internal */
  sendTo(frame: WebFrame, channel: string, args: readonly unknown[]): void {
    this.ipc.send(frame, channel, args)
  }

  /** @internal */
  async evaluate(frame: WebFrame, code: string): Promise<unknown> {
    const context = frame === this.mainFrame ? undefined : frame.contexts.page
    const { result, exceptionDetails } = await this.cdp<{
      result: { value?: unknown }
      exceptionDetails?: object
    }>('Runtime.evaluate', {
      expression: code,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
      ...(context ? { uniqueContextId: context } : {}),
    })
    if (exceptionDetails)
      throw new Error('Script failed to execute, this normally means an error was thrown.')
    return result.value
  }

  /** @internal a page wants a new window; the handler says whether it gets one */
  asksToOpen(address: string, frameName: string, features: string, disposition: string): void {
    const url = standIn.server.fromChromium(address)
    const { action, overrideBrowserWindowOptions = {} } = this.openHandler?.({
      url,
      frameName,
      features,
      disposition,
    }) ?? { action: 'allow' }
    if (action === 'allow') this.openWindow(url, overrideBrowserWindowOptions)
    else if (action !== 'deny') throw new Error(`no such action of a window-open handler: ${action}`)
  }

  /** @internal ends a window that Chromium opened for a link, and asks as for one of the page's script */
  async closePopup(popup: Target): Promise<void> {
    const { url = popup.url, features = '' } = this.lastOpen ?? {}
    const { cdp } = await standIn.chromium()
    await cdp.send('Target.closeTarget', { targetId: popup.targetId })
    this.asksToOpen(url, '', features, 'foreground-tab')
  }

  // --- the page's life

  private async begin(target: Target): Promise<Target> {
    const { cdp } = await standIn.chromium()
    this.target = target
    this.frames.begin(target.targetId)
    const send = (method: string, params: Params): Promise<Params> =>
      cdp.send(method, params, target.sessionId)
    const navigation = watchNavigation({
      send,
      frameOf: (id) => this.frames.of(id),
      emit: (name, frame, url) => this.emitNavigation(name, frame, url, false),
      external: (url) => void this.openExternal(url),
    })
    cdp.on(target.sessionId, (method, params) => {
      navigation(method, params)
      this.frames.hear(method, params)
      this.hear(method, params)
    })
    cdp.on(undefined, (method, params) => {
      if (method === 'Target.detachedFromTarget' && params.sessionId === target.sessionId) this.gone()
    })
    const preload = preloadSource(this.preferences.preload, (message) => this.preloadFailed(message))
    await Promise.all([
      send('Page.enable', {}),
      send('Page.setLifecycleEventsEnabled', { enabled: true }),
      send('Runtime.enable', {}),
      send('Runtime.addBinding', { name: BINDING, executionContextName: WORLD }),
      send('Page.addScriptToEvaluateOnNewDocument', { source: pageWorldSource(standIn.secret) }),
      send('Page.addScriptToEvaluateOnNewDocument', { source: preload, worldName: WORLD }),
      send('Fetch.enable', { patterns: [{ urlPattern: '*', resourceType: 'Document' }] }),
      send('Runtime.runIfWaitingForDebugger', {}),
    ])
    return target
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
    this.ipc.closePorts()
    this.loads.abort()
    this.emit('destroyed')
  }

  private mustLive(): void {
    if (this.isGone) throw new TypeError('Object has been destroyed')
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

  private retitle(title: string): void {
    if (title === this.title) return
    this.title = title
    this.emit('page-title-updated', makeEvent({}), title, true)
  }

  private hear(method: string, params: Params): void {
    const frame = this.frames.of(params.frameId)
    switch (method) {
      case 'Runtime.bindingCalled':
        if (params.name === BINDING) this.fromPage(params)
        break
      case 'Page.frameStartedNavigating':
        if (frame) this.navigating(frame, params)
        break
      case 'Page.frameNavigated': {
        if ((params.frame as Params).parentId !== undefined) break
        if (this.mainFrame.loaded !== 'about:blank') this.loads.documentCame()
        this.emit('did-navigate', makeEvent({}), this.mainFrame.url, 200, 'OK')
        break
      }
      case 'Page.navigatedWithinDocument':
        this.emit('did-navigate-in-page', makeEvent({}), frame?.url, frame === this.mainFrame)
        break
      case 'Page.domContentEventFired':
        this.emit('dom-ready', makeEvent({}))
        break
      case 'Page.loadEventFired':
        this.finished()
        break
      case 'Page.windowOpen':
        this.lastOpen = { url: String(params.url), features: (params.windowFeatures as string[]).join(',') }
        break
      case 'Page.lifecycleEvent':
        if (params.name === 'firstPaint' && frame === this.mainFrame) this.emit('-painted')
        break
      case 'Inspector.targetCrashed':
        this.hasCrashed = true
        this.emit('render-process-gone', makeEvent({}), { reason: 'crashed', exitCode: 1 })
        app.emit('render-process-gone', makeEvent({}), this.facade, { reason: 'crashed', exitCode: 1 })
    }
  }

  private navigating(frame: WebFrame, { url, navigationType }: Params): void {
    const isSameDocument = navigationType === 'sameDocument' || navigationType === 'historySameDocument'
    if (frame === this.mainFrame && !this.isLoadingNow && !isSameDocument) {
      this.isLoadingNow = true
      this.hasCrashed = false
      this.emit('did-start-loading')
    }
    this.emitNavigation(
      'did-start-navigation',
      frame,
      standIn.server.fromChromium(String(url)),
      isSameDocument,
    )
  }

  private finished(): void {
    if (!this.loads.finished()) return
    this.isLoadingNow = false
    this.emit('did-finish-load', makeEvent({}))
    this.emit('did-stop-loading')
  }

  private fromPage({ payload, executionContextId }: Params): void {
    const frame = this.frames.ofContext(executionContextId)
    if (!frame || this.isGone) return
    const message = JSON.parse(String(payload)) as FromPage
    if (message.kind === 'drag-start') this.lastDragStart = performance.now()
    else if (message.kind === 'permission') void this.permission(frame, message)
    else if (message.kind === 'open')
      this.asksToOpen(message.url, message.frameName, message.features, 'new-window')
    else if (message.kind === 'title') this.retitle(message.title)
    else if (message.kind === 'preload-error') this.preloadFailed(message.message)
    else this.ipc.receive(frame, message)
  }

  private async permission(
    frame: WebFrame,
    { id, permission, isCheck }: Extract<FromPage, { kind: 'permission' }>,
  ): Promise<void> {
    const isGranted = await decidePermission(this.facade, frame, permission, isCheck)
    await this.tell(frame, { kind: 'answer', id, isGranted })
  }

  /** A link to a program of the system: Electron opens it when the permission handler lets it. */
  private async openExternal(url: string): Promise<void> {
    const isGranted = await requestPermission(this.facade, this.mainFrame, 'openExternal', {
      externalURL: url,
    })
    if (isGranted) await shell.openExternal(url)
  }
}

/** Electron's `webContents` module. */
export const webContents = strict('webContents', {
  getAllWebContents: () => [...all.values()].map((each) => each.facade),
  fromId: (id: number) => all.get(id)?.facade,
  getFocusedWebContents: () => [...all.values()][0]?.facade ?? null,
})
