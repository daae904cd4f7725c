import type { MessagePortMain } from 'electron'
import { type Failure, failure } from '../../src-preload/contract/errors.ts'
import type { Bottles } from '../bottles/services.ts'
import { isWithinSize } from './message-size.ts'
import { createStreams } from './streams.ts'

/** The streams of one page. */
export interface PortStreams {
  /** Carries one log or terminal over its own port until either side closes it. */
  serve(port: MessagePortMain, wanted: unknown): void
  /** Ends them all, as when the page is gone. */
  closeAll(): void
}

/** The one stream of a port; numbers are for sockets that carry many. */
const ONLY = 1
const MAX_STREAMS = 64

/** Streams over ports with back-pressure. A page that sends what a correct one never would loses the port. */
export function createPortStreams(bottles: Pick<Bottles, 'logs' | 'attach'>): PortStreams {
  const open = new Set<() => void>()

  function serve(port: MessagePortMain, wanted: unknown): void {
    const leave = (): void => {
      if (!open.delete(leave)) return
      streams.closeAll()
      port.close()
    }
    const streams = createStreams(bottles, {
      // Copied: what a stream gives may be a part of a large buffer, and a port sends the whole of it.
      data: (_stream, chunk) => port.postMessage(new Uint8Array(chunk)),
      end(_stream, error) {
        port.postMessage({ end: error })
        // The page closes the port once it has read this: a close from here may overtake what was sent before it.
        open.delete(leave)
      },
    })
    open.add(leave)
    port.on('message', ({ data }) => {
      if (!isWithinSize(data) || !control(streams, data)) leave()
    })
    port.once('close', leave)
    port.start()
    const { name, args } = asRecord(wanted)
    if (typeof name === 'string') streams.open(ONLY, name, args)
    else leave()
  }

  return {
    serve(port, wanted) {
      if (open.size < MAX_STREAMS) return serve(port, wanted)
      const end: Failure = failure('busy', `A page may have ${MAX_STREAMS} streams open. Close one first.`)
      port.postMessage({ end })
    },
    closeAll() {
      for (const leave of [...open]) leave()
    },
  }
}

function control(streams: ReturnType<typeof createStreams>, data: unknown): boolean {
  const { type, data: text, cols, rows, bytes } = asRecord(data)
  switch (type) {
    case 'input':
      return typeof text === 'string' && streams.input(ONLY, text)
    case 'resize':
      return isSize(cols) && isSize(rows) && streams.resize(ONLY, cols, rows)
    case 'ack':
      return Number.isInteger(bytes) && Number(bytes) >= 0 && streams.ack(ONLY, Number(bytes))
    default:
      return false
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 1000
}
