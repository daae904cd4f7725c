import { contextBridge, ipcRenderer, webUtils } from 'electron'
import {
  DESKTOP_CHANNELS as channels,
  type DesktopBridge,
  type DesktopRequest,
  type PageCommand,
  type StreamControl,
} from './contract/desktop.ts'
import type { Failure, Result } from './contract/errors.ts'
import type { IceboxBridge } from './contract/wire.ts'

// The only code between the page and main. It carries values and checks nothing: main checks every call.

const CUT_OFF: Failure = { code: 'denied', message: 'The request was refused.', retryable: false }

/** While the app starts, not every channel has somebody to answer it. */
const NOT_YET: Failure = {
  code: 'busy',
  message: 'Icebox can’t answer that just now; try again.',
  retryable: true,
}

function ask<T>(channel: string, ...args: readonly unknown[]): Promise<Result<T>> {
  return ipcRenderer.invoke(channel, ...args).catch(() => ({ ok: false, error: NOT_YET }))
}

const listeners = new Map<string, Set<(payload: never) => void>>()
ipcRenderer.on(channels.event, (_event, name: string, payload: unknown, bytes: number) => {
  ipcRenderer.send(channels.seen, bytes)
  for (const listener of listeners.get(name) ?? []) listener(payload as never)
})

const onCommand = new Set<(command: PageCommand) => void>()
ipcRenderer.on(channels.command, (_event, command: PageCommand) => {
  for (const listener of onCommand) listener(command)
})

const bridge: IceboxBridge = {
  call: (call, args) => ask(channels.call, call, args),
  on(event, listener) {
    const set = listeners.get(event) ?? new Set()
    listeners.set(event, set.add(listener as (payload: never) => void))
    return () => void set.delete(listener as (payload: never) => void)
  },
  open(name, args, sink) {
    const { port1: port, port2 } = new MessageChannel()
    let isOpen = true
    const end = (error: Failure | null): void => {
      if (!isOpen) return
      isOpen = false
      port.close()
      sink.end(error)
    }
    port.onmessage = ({ data }: { data: Uint8Array | { readonly end: Failure | null } }) => {
      if (!isOpen) return
      if (data instanceof Uint8Array) sink.data(data)
      else end(data.end)
    }
    // Main takes the port away from a page that breaks the rules.
    port.addEventListener('close', () => end(CUT_OFF))
    ipcRenderer.postMessage(channels.open, { name, args }, [port2])
    const send = (control: StreamControl): void => port.postMessage(control)
    return {
      input: (data) => send({ type: 'input', data }),
      resize: (cols, rows) => send({ type: 'resize', cols, rows }),
      ack: (bytes) => send({ type: 'ack', bytes }),
      close() {
        isOpen = false
        port.close()
      },
    }
  },
  // Page and main end together, so there is no connection to lose.
  onConnection: () => () => {},
  desktop: Object.freeze<DesktopBridge>({
    onCommand(listener: (command: PageCommand) => void) {
      onCommand.add(listener)
      ipcRenderer.send(channels.ready)
      return () => void onCommand.delete(listener)
    },
    importFiles: (files: readonly unknown[]) =>
      ask(
        channels.importFiles,
        files.map((file) => webUtils.getPathForFile(file as File)),
      ),
    pickImports: () => ask(channels.pickImports),
    saveExport: (taskId: string) => ask(channels.saveExport, taskId),
    startDrag: (tokens: readonly string[]) => ipcRenderer.send(channels.drag, tokens),
    ask: (what: DesktopRequest) => ipcRenderer.send(channels.ask, what),
  }),
}

contextBridge.exposeInMainWorld('icebox', Object.freeze(bridge))
