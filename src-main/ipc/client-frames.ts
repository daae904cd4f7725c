import type { ClientMessage } from '../../src-preload/contract/wire.ts'

const MAX_NAME = 200
const MAX_UINT32 = 0xffff_ffff

/**
 * Reads one text frame of a page; null when it is not one of the contract's messages. Call names and arguments
 * are checked later, where a refusal can be answered.
 */
export function parseClientMessage(text: string): ClientMessage | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  return checkedMessage(value as Readonly<Record<string, unknown>>)
}

function checkedMessage(frame: Readonly<Record<string, unknown>>): ClientMessage | null {
  switch (frame.type) {
    case 'call':
      return isNumber(frame.id) && isName(frame.call)
        ? { type: 'call', id: frame.id, call: frame.call as never, args: frame.args }
        : null
    case 'open':
      return isNumber(frame.stream) && isName(frame.name)
        ? { type: 'open', stream: frame.stream, name: frame.name as never, args: frame.args }
        : null
    case 'input':
      return isNumber(frame.stream) && typeof frame.data === 'string'
        ? { type: 'input', stream: frame.stream, data: frame.data }
        : null
    case 'resize':
      return isNumber(frame.stream) && isSize(frame.cols) && isSize(frame.rows)
        ? { type: 'resize', stream: frame.stream, cols: frame.cols, rows: frame.rows }
        : null
    case 'ack':
      return isNumber(frame.stream) && isNumber(frame.bytes)
        ? { type: 'ack', stream: frame.stream, bytes: frame.bytes }
        : null
    case 'close':
      return isNumber(frame.stream) ? { type: 'close', stream: frame.stream } : null
    default:
      return null
  }
}

/** A stream's bytes as the page gets them: its number as uint32 big-endian, then the bytes. */
export function encodeStreamFrame(stream: number, chunk: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(4 + chunk.byteLength)
  frame.writeUInt32BE(stream, 0)
  frame.set(chunk, 4)
  return frame
}

function isNumber(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_UINT32
}

function isSize(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 1000
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME
}
