import { makeCodec } from '../page/codec.ts'
import type { FromPage, ToPage } from '../page/preload-world.ts'
import { makeEvent } from './event.ts'
import { answerInvoke, deliver } from './ipc-main.ts'
import { type MessagePortMain, PagePorts } from './message-ports.ts'
import type { WebFrame } from './web-frame.ts'

/** Messages between a page's preload and `ipcMain`, as structured clones. */
export interface PageIpc {
  send(frame: WebFrame, channel: string, args: readonly unknown[]): void
  post(frame: WebFrame, channel: string, message: unknown, transfer: readonly MessagePortMain[]): void
  /** What came over the binding, when it is about messages. */
  receive(frame: WebFrame, message: FromPage): void
  closePorts(): void
}

export interface PageIpcParts {
  /** The `sender` of events. */
  readonly sender: object
  readonly main: WebFrame
  readonly tell: (frame: WebFrame, message: ToPage) => Promise<void>
}

const codec = makeCodec()

/** @throws TypeError, DOMException for what Electron would not send */
function encode(channel: unknown, args: readonly unknown[]): string {
  if (typeof channel !== 'string' || channel === '') throw new TypeError('Missing required channel argument')
  return codec.encode([...args])
}

export function createPageIpc({ sender, main, tell }: PageIpcParts): PageIpc {
  const ports = new PagePorts((message) => {
    if ('isClosed' in message) void tell(main, { kind: 'port-closed', port: message.port })
    else void tell(main, { kind: 'port', port: message.port, body: codec.encode(message.data) })
  })
  const makeIpcEvent = (frame: WebFrame, given: readonly MessagePortMain[]) => {
    const context = frame.contexts.preload
    const event = makeEvent({
      type: 'frame',
      sender,
      frameId: frame.routingId,
      processId: frame.processId,
      ports: given,
      reply: (channel: string, ...args: unknown[]) => frame.send(channel, ...args),
    })
    // A document that is gone has no frame any more, however early its message came.
    const isThere = (): boolean => !frame.detached && frame.contexts.preload === context
    return Object.defineProperty(event, 'senderFrame', {
      get: () => (isThere() ? frame : null),
      enumerable: true,
    })
  }
  const invoked = async (frame: WebFrame, message: Extract<FromPage, { kind: 'invoke' }>): Promise<void> => {
    const { channel, id } = message
    const context = frame.contexts.preload
    const args = codec.decode(message.body) as unknown[]
    const answer = await answerInvoke(makeIpcEvent(frame, []) as never, channel, args)
    // The document that asked may have gone; its successor did not ask.
    if (frame.isDestroyed() || frame.contexts.preload !== context) return
    const failed = (text: string) => tell(frame, { kind: 'failed', id, message: text })
    if ('message' in answer) return failed(answer.message)
    let body: string
    try {
      body = codec.encode(answer.value)
    } catch {
      return failed('Error: An object could not be cloned.')
    }
    return tell(frame, { kind: 'result', id, body })
  }
  return {
    send(frame, channel, args) {
      void tell(frame, { kind: 'send', channel, body: encode(channel, args), ports: [] })
    },
    post(frame, channel, message, transfer) {
      const body = encode(channel, [message])
      void tell(frame, { kind: 'send', channel, body, ports: transfer.map((port) => ports.toPage(port)) })
    },
    receive(frame, message) {
      if (message.kind === 'send') {
        const given = message.ports.map((port) => ports.fromPage(port))
        const args = codec.decode(message.body) as unknown[]
        deliver(makeIpcEvent(frame, given) as never, message.channel, args)
      } else if (message.kind === 'invoke') void invoked(frame, message)
      else if (message.kind === 'port') ports.arrive(message.port, codec.decode(message.body))
      else if (message.kind === 'port-closed') ports.closedByPage(message.port)
    },
    closePorts: () => ports.closeAll(),
  }
}
