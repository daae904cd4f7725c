import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import { createWebSocketBridge } from './web-socket-bridge.ts'

declare global {
  interface Window {
    /** Present in the desktop app only, put there by the preload script. */
    readonly icebox?: IceboxBridge
  }
}

/** True in the desktop app, false in a browser. */
export const isDesktop = globalThis.window?.icebox !== undefined

/** What this page talks to: the preload's bridge in the desktop app, one WebSocket in a browser. */
export function openBridge(): IceboxBridge {
  return window.icebox ?? createWebSocketBridge(`${window.location.origin.replace(/^http/, 'ws')}/ws`)
}
