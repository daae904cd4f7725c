import type { MessagePortMain } from 'electron'
import type { Bottles } from '../bottles/services.ts'
import { createStreams } from './streams.ts'

/** The one stream of a port; numbers are for sockets that carry many. */
const ONLY = 1

/**
 * Carries one log or terminal over its own port until either side closes it. A page that sends what a correct one
 * never would loses the port.
 */
export function serveStream(
  bottles: Pick<Bottles, 'logs' | 'attach'>,
  port: MessagePortMain,
  wanted: unknown,
): void {
  const streams = createStreams(bottles, {
    // Copied: what a stream gives may be a part of a large buffer, and a port sends the whole of it.
    data: (_stream, chunk) => port.postMessage(Uint8Array.from(chunk)),
    end: (_stream, error) => {
      port.postMessage({ end: error })
      port.close()
    },
  })
  const leave = (): void => {
    streams.closeAll()
    port.close()
  }
  port.on('message', ({ data }) => {
    if (!control(streams, data)) leave()
  })
  port.once('close', () => streams.closeAll())
  port.start()
  const { name, args } = asRecord(wanted)
  if (typeof name === 'string') streams.open(ONLY, name, args)
  else leave()
}

function control(streams: ReturnType<typeof createStreams>, data: unknown): boolean {
  const { type, data: text, cols, rows, bytes } = asRecord(data)
  switch (type) {
    case 'input':
      return typeof text === 'string' && streams.input(ONLY, text)
    case 'resize':
      return isSize(cols) && isSize(rows) && streams.resize(ONLY, cols, rows)
    case 'ack':
      return typeof bytes === 'number' && bytes >= 0 && streams.ack(ONLY, bytes)
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
