import { EventEmitter } from 'node:events'
import type { IpcMain, IpcMainEvent, IpcMainInvokeEvent } from 'electron'
import { notHere } from './strict.ts'

type Handler = (event: IpcMainInvokeEvent, ...args: unknown[]) => unknown

export class IpcMainStandIn extends EventEmitter {
  readonly handlers = new Map<string, Handler>()

  handle(channel: string, listener: Handler): void {
    if (this.handlers.has(channel)) {
      throw new Error(`Attempted to register a second handler for '${channel}'`)
    }
    if (typeof listener !== 'function') {
      throw new TypeError(`Expected handler to be a function, but found type '${typeof listener}'`)
    }
    this.handlers.set(channel, listener)
  }

  handleOnce(channel: string, listener: Handler): void {
    this.handle(channel, (event, ...args) => {
      this.removeHandler(channel)
      return listener(event, ...args)
    })
  }

  removeHandler(channel: string): void {
    this.handlers.delete(channel)
  }
}

export const ipcMain = new IpcMainStandIn() as IpcMainStandIn & IpcMain

/** Answers a page's `invoke`: the value, or the words that are left of an error. */
export async function answerInvoke(
  event: IpcMainInvokeEvent,
  channel: string,
  args: readonly unknown[],
): Promise<{ readonly value: unknown } | { readonly message: string }> {
  const handler = ipcMain.handlers.get(channel)
  if (!handler) return { message: `Error: No handler registered for '${channel}'` }
  try {
    return { value: await handler(event, ...args) }
  } catch (error) {
    console.error(`Error occurred in handler for '${channel}':`, error)
    return { message: String(error) }
  }
}

/** Delivers a page's `send` or `postMessage`. */
export function deliver(
  event: Omit<IpcMainEvent, 'reply' | 'returnValue'>,
  channel: string,
  args: readonly unknown[],
): void {
  const full = Object.defineProperty(event, 'returnValue', {
    set: () => notHere('synchronous messages'),
  })
  ipcMain.emit(channel, full, ...args)
}
