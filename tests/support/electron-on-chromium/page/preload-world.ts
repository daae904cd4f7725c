import type { BridgeSide } from './bridge.ts'
import type { Codec } from './codec.ts'

/** From the preload's world to main. */
export type FromPage =
  | {
      readonly kind: 'send'
      readonly channel: string
      readonly body: string
      readonly ports: readonly number[]
    }
  | { readonly kind: 'invoke'; readonly channel: string; readonly body: string; readonly id: number }
  | { readonly kind: 'port'; readonly port: number; readonly body: string }
  | { readonly kind: 'port-closed'; readonly port: number }
  | { readonly kind: 'drag-start' }
  | { readonly kind: 'title'; readonly title: string }
  | {
      readonly kind: 'permission'
      readonly id: number
      readonly permission: string
      readonly isCheck: boolean
    }
  | { readonly kind: 'open'; readonly url: string; readonly frameName: string; readonly features: string }
  | { readonly kind: 'preload-error'; readonly message: string }

/** From main to the preload's world. */
export type ToPage =
  | {
      readonly kind: 'send'
      readonly channel: string
      readonly body: string
      readonly ports: readonly number[]
    }
  | { readonly kind: 'result'; readonly id: number; readonly body: string }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  | { readonly kind: 'port'; readonly port: number; readonly body: string }
  | { readonly kind: 'port-closed'; readonly port: number }
  | { readonly kind: 'answer'; readonly id: number; readonly isGranted: boolean }
  | { readonly kind: 'files'; readonly paths: Readonly<Record<string, string>> }

export interface PreloadWorldConfig {
  /** Name of the function that reaches main: only this world has it. */
  readonly binding: string
  /** Name of the function that main calls. */
  readonly receiver: string
  readonly hasPreload: boolean
  readonly process: Readonly<Record<string, unknown>>
}

/** Runs first in the preload's own world, then gives what the preload may `require`. */
export function runPreloadWorld(
  config: PreloadWorldConfig,
  codec: Codec,
  bridge: BridgeSide,
): { require(name: string): unknown; process: unknown } | null {
  type Listener = (event: unknown, ...args: unknown[]) => void
  const world = window as unknown as Record<string, (text: string) => void>
  const toMain = (message: FromPage): void => world[config.binding]?.(JSON.stringify(message))
  const listeners = new Map<string, { readonly listener: Listener; readonly isOnce: boolean }[]>()
  const invoked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const ports = new Map<number, MessagePort>()
  /** The ends that the app holds. */
  const held = new Map<number, MessagePort>()
  let files: Readonly<Record<string, string>> = {}
  let lastInvoke = 0
  // Odd here, even in main, so that both sides can number ports.
  let lastPort = 1

  // Chromium tells nobody that the other end of a port was closed; Electron does. So closing says it first.
  const CLOSED = `${config.binding}:closed`
  const toldOnClose = new WeakSet<MessagePort>()
  const twins = new WeakMap<MessagePort, MessagePort>()
  const closePort = MessagePort.prototype.close
  MessagePort.prototype.close = function () {
    if (toldOnClose.delete(this)) this.postMessage(CLOSED)
    closePort.call(this)
  }
  const Channel = window.MessageChannel
  window.MessageChannel = class extends Channel {
    constructor() {
      super()
      twins.set(this.port1, this.port2)
      twins.set(this.port2, this.port1)
    }
  }
  const watchPort = (id: number, port: MessagePort, twin: MessagePort | undefined): void => {
    if (twin) {
      toldOnClose.add(twin)
      held.set(id, twin)
    }
    ports.set(id, port)
    port.onmessage = (event) => {
      if (event.data === CLOSED) {
        held.delete(id)
        if (ports.delete(id)) toMain({ kind: 'port-closed', port: id })
      } else toMain({ kind: 'port', port: id, body: codec.encode(event.data) })
    }
  }
  const handOver = (port: unknown): number => {
    if (!(port instanceof MessagePort)) throw new TypeError('Invalid value for transfer')
    lastPort += 2
    const twin = twins.get(port)
    watchPort(lastPort, structuredClone(port, { transfer: [port] }), twin)
    return lastPort
  }
  const takeOver = (id: number): MessagePort => {
    const { port1, port2 } = new window.MessageChannel()
    watchPort(id, port1, port2)
    return port2
  }

  const add = (channel: string, listener: Listener, isOnce: boolean): void => {
    if (typeof channel !== 'string' || typeof listener !== 'function')
      throw new TypeError('channel and listener')
    listeners.set(channel, [...(listeners.get(channel) ?? []), { listener, isOnce }])
  }
  const remove = (channel: string, listener: Listener): void => {
    const rest = (listeners.get(channel) ?? []).filter((each) => each.listener !== listener)
    listeners.set(channel, rest)
  }
  const checkChannel = (channel: unknown): string => {
    if (typeof channel !== 'string' || channel === '')
      throw new TypeError('channel must be a non-empty string')
    return channel
  }
  const notHere = (what: string) => (): never => {
    throw new Error(`the stand-in has no ${what}`)
  }
  const ipcRenderer: Record<string, unknown> = {
    on(channel: string, listener: Listener) {
      add(channel, listener, false)
      return ipcRenderer
    },
    once(channel: string, listener: Listener) {
      add(channel, listener, true)
      return ipcRenderer
    },
    off(channel: string, listener: Listener) {
      remove(channel, listener)
      return ipcRenderer
    },
    removeAllListeners(channel: string) {
      listeners.delete(channel)
      return ipcRenderer
    },
    send(channel: string, ...args: unknown[]) {
      toMain({ kind: 'send', channel: checkChannel(channel), body: codec.encode(args), ports: [] })
    },
    invoke(channel: string, ...args: unknown[]) {
      const body = codec.encode(args)
      lastInvoke += 1
      const id = lastInvoke
      return new Promise((resolve, reject) => {
        invoked.set(id, {
          resolve,
          reject: (error) => reject(new Error(`Error invoking remote method '${channel}': ${error.message}`)),
        })
        toMain({ kind: 'invoke', channel: checkChannel(channel), body, id })
      })
    },
    postMessage(channel: string, message: unknown, transfer: unknown[] = []) {
      const body = codec.encode([message])
      toMain({ kind: 'send', channel: checkChannel(channel), body, ports: transfer.map(handOver) })
    },
    sendSync: notHere('sendSync: nothing may block the page'),
    sendToHost: notHere('sendToHost'),
  }
  ipcRenderer.addListener = ipcRenderer.on
  ipcRenderer.removeListener = ipcRenderer.off

  const hear = ({ channel, body, ports: ids }: Extract<ToPage, { kind: 'send' }>): void => {
    const args = codec.decode(body) as unknown[]
    const event = {
      sender: ipcRenderer,
      ports: ids.map(takeOver),
      defaultPrevented: false,
      preventDefault() {},
    }
    for (const { listener, isOnce } of listeners.get(channel) ?? []) {
      if (isOnce) remove(channel, listener)
      listener(event, ...args)
    }
  }
  const receive = (message: ToPage): void => {
    switch (message.kind) {
      case 'send':
        hear(message)
        break
      case 'result':
        invoked.get(message.id)?.resolve(codec.decode(message.body))
        invoked.delete(message.id)
        break
      case 'failed':
        invoked.get(message.id)?.reject(new Error(message.message))
        invoked.delete(message.id)
        break
      case 'port':
        ports.get(message.port)?.postMessage(codec.decode(message.body))
        break
      case 'port-closed': {
        const end = held.get(message.port)
        held.delete(message.port)
        ports.get(message.port)?.close()
        ports.delete(message.port)
        // As in Electron, the page's end hears of it, after everything that was sent before.
        const { port1, port2 } = new Channel()
        port1.onmessage = () => void end?.dispatchEvent(new Event('close'))
        port2.postMessage(null)
        break
      }
      case 'answer':
        bridge.send('answer', { id: message.id, isGranted: message.isGranted })
        break
      case 'files':
        files = message.paths
    }
  }
  world[config.receiver] = (text) => receive(JSON.parse(text) as ToPage)

  bridge.onMessage((op, tree) => {
    if (op === 'permission' || op === 'open') toMain({ ...(tree as object), kind: op } as unknown as FromPage)
  })
  window.addEventListener(
    'dragstart',
    (event) => {
      if (event.isTrusted) toMain({ kind: 'drag-start' })
    },
    true,
  )
  if (window === window.top) {
    const tellTitle = (): void => toMain({ kind: 'title', title: document.title })
    window.addEventListener('DOMContentLoaded', () => {
      tellTitle()
      const watched = { childList: true, characterData: true, subtree: true }
      new MutationObserver(tellTitle).observe(document.head, watched)
    })
  }
  if (!config.hasPreload || window !== window.top) return null

  const contextBridge = {
    exposeInMainWorld(key: string, api: unknown) {
      const answer = bridge.send('expose', { key, api: bridge.pack(api) })
      if (answer === 'taken')
        throw new Error('Cannot bind an API on top of an existing property on the window object')
      if (answer !== 'exposed') throw new Error('the page has no bridge')
    },
    exposeInIsolatedWorld: notHere('exposeInIsolatedWorld'),
    executeInMainWorld: notHere('executeInMainWorld'),
  }
  const webUtils = {
    getPathForFile(file: unknown): string {
      if (!(file instanceof File)) throw new TypeError('getPathForFile expected to receive a File')
      return files[`${file.name}|${file.size}|${file.lastModified}`] ?? ''
    },
  }
  const strict = (name: string, members: Record<string, unknown>): unknown =>
    new Proxy(members, {
      get(target, key) {
        if (typeof key === 'string' && !(key in target) && key !== 'then') {
          throw new Error(`the stand-in has no ${name}.${key}`)
        }
        return Reflect.get(target, key)
      },
    })
  const electron = strict('electron', {
    contextBridge: strict('contextBridge', contextBridge),
    ipcRenderer: strict('ipcRenderer', ipcRenderer),
    webUtils: strict('webUtils', webUtils),
    __esModule: false,
    default: undefined,
  })
  return {
    process: Object.freeze({ ...config.process }),
    require(name) {
      if (name === 'electron' || name === 'electron/renderer') return electron
      throw new Error(`module not found: ${name}`)
    },
  }
}
