import { failure } from '../../src-preload/contract/errors.ts'
import type { ClientMessage, ServerMessage } from '../../src-preload/contract/wire.ts'
import type { Bottles } from '../bottles/services.ts'
import { encodeStreamFrame, parseClientMessage } from './client-frames.ts'
import type { Router } from './router.ts'
import { createStreams } from './streams.ts'

/** What a connection needs of its socket. */
export interface Wire {
  text(frame: string): void
  binary(frame: Uint8Array): void
}

export interface Connection {
  /** Handles one text frame; false when it breaks the protocol and the connection must end. */
  receive(frame: string): boolean
  close(): void
}

/** A page waits for an answer before it asks hundreds of further things; a fault of its own must not flood us. */
const MAX_PENDING_CALLS = 128

/** The protocol of one page, apart from its socket: calls with their answers, and streams. */
export function createConnection(
  router: Router,
  bottles: Pick<Bottles, 'logs' | 'attach'>,
  wire: Wire,
): Connection {
  let pending = 0
  const send = (message: ServerMessage): void => wire.text(JSON.stringify(message))
  const streams = createStreams(bottles, {
    data: (stream, chunk) => wire.binary(encodeStreamFrame(stream, chunk)),
    end: (stream, error) => send({ type: 'end', stream, error }),
  })

  function call({ id, call: name, args }: Extract<ClientMessage, { type: 'call' }>): boolean {
    if (pending >= MAX_PENDING_CALLS) {
      send({
        type: 'result',
        id,
        result: { ok: false, error: failure('busy', 'Too many requests at once.') },
      })
      return true
    }
    pending += 1
    void router(name, args).then((result) => {
      pending -= 1
      send({ type: 'result', id, result })
    })
    return true
  }

  return {
    receive(frame) {
      const message = parseClientMessage(frame)
      switch (message?.type) {
        case undefined:
          return false
        case 'call':
          return call(message)
        case 'open':
          return streams.open(message.stream, message.name, message.args)
        case 'input':
          return streams.input(message.stream, message.data)
        case 'resize':
          return streams.resize(message.stream, message.cols, message.rows)
        case 'ack':
          return streams.ack(message.stream, message.bytes)
        case 'close':
          streams.close(message.stream)
          return true
      }
    },
    close: () => streams.closeAll(),
  }
}
