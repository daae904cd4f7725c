import { bottleError } from '../system/bottle-error.ts'

/** Memory that a frame may ask for; the zstd program's own default limit. */
const MAX_WINDOW = 128 * 1024 * 1024
const MAGIC = 0xfd2fb528

/** What the bytes of a zstd stream are; `data` views are valid until the next `feed`. */
export type FrameEvent =
  /** A frame begins; its header's bytes come as the first data. Content length where the header tells it. */
  | { readonly kind: 'frame'; readonly contentBytes: number | null; readonly windowBytes: number }
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'end' }

/** Finds the frames of a zstd stream by their headers alone; skippable ones are left out. */
export interface FrameSplitter {
  feed(chunk: Uint8Array): void
  next(): FrameEvent | null
  /** @throws BottleError `artifact-invalid` when the stream ends inside a frame */
  finish(): void
}

const END: FrameEvent = { kind: 'end' }

type Phase = 'magic' | 'skip-size' | 'descriptor' | 'frame-header' | 'block-header' | 'pass' | 'skip'

/**
 * A splitter for RFC 8878 streams. Node's decoder drops what follows the first frame, so frames are told apart here
 * and decoded one by one.
 */
export function createFrameSplitter(): FrameSplitter {
  let chunk: Buffer = Buffer.alloc(0)
  let at = 0
  let phase: Phase = 'magic'
  /** Header bytes gathered so far; a frame's are handed on when they are complete. */
  const head = Buffer.alloc(18)
  let gathered = 0
  let wanted = 4
  let hasChecksum = false
  /** Bytes to hand on or to leave out. */
  let left = 0
  let afterPass: 'block' | 'checksum' | 'end' = 'block'
  let isEnding = false
  const queue: FrameEvent[] = []

  function gather(): boolean {
    const part = Math.min(wanted - gathered, chunk.length - at)
    chunk.copy(head, gathered, at, at + part)
    gathered += part
    at += part
    return gathered === wanted
  }

  function expect(next: Phase, bytes: number, keep = 0): void {
    phase = next
    gathered = keep
    wanted = keep + bytes
  }

  function onMagic(): void {
    const magic = head.readUInt32LE(0)
    if (magic === MAGIC) expect('descriptor', 1, 4)
    else if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) expect('skip-size', 4)
    else throw damaged('something that is no frame')
  }

  function onDescriptor(): void {
    const descriptor = head[4] ?? 0
    if (descriptor & 0x08) throw damaged('a frame of an unknown kind')
    if (descriptor & 0x03) throw damaged('a frame that needs a dictionary')
    hasChecksum = (descriptor & 0x04) !== 0
    expect('frame-header', frameHeaderBytes(descriptor), 5)
    if (wanted === 5) onFrameHeader()
  }

  function onFrameHeader(): void {
    const descriptor = head[4] ?? 0
    const isSingle = (descriptor & 0x20) !== 0
    const contentBytes = readContentSize(head, descriptor)
    const windowBytes = isSingle ? (contentBytes ?? 0) : windowOf(head[5] ?? 0)
    // A single segment promises its whole content at once; only the window of others is bounded by the format.
    if (windowBytes > MAX_WINDOW) throw damaged(`a frame that needs ${windowBytes} bytes of memory`)
    queue.push({ kind: 'frame', contentBytes, windowBytes })
    queue.push({ kind: 'data', bytes: Buffer.from(head.subarray(0, gathered)) })
    expect('block-header', 3)
  }

  function onBlockHeader(): void {
    const value = head.readUIntLE(0, 3)
    const type = (value >> 1) & 3
    if (type === 3) throw damaged('a block of an unknown kind')
    const size = value >> 3
    if (size > 128 * 1024) throw damaged('a block that is too large')
    queue.push({ kind: 'data', bytes: Buffer.from(head.subarray(0, 3)) })
    left = type === 1 ? 1 : size
    afterPass = (value & 1) === 0 ? 'block' : hasChecksum ? 'checksum' : 'end'
    phase = 'pass'
    if (left === 0) onPassed()
  }

  function onPassed(): void {
    if (afterPass === 'block') {
      expect('block-header', 3)
    } else if (afterPass === 'checksum') {
      left = 4
      afterPass = 'end'
    } else {
      isEnding = true
      expect('magic', 4)
    }
  }

  function pass(): FrameEvent | null {
    const part = Math.min(left, chunk.length - at)
    if (part === 0) return null
    const bytes = chunk.subarray(at, at + part)
    at += part
    left -= part
    if (left === 0) onPassed()
    return { kind: 'data', bytes }
  }

  function step(): void {
    if (phase === 'skip') {
      const part = Math.min(left, chunk.length - at)
      at += part
      left -= part
      if (left === 0) expect('magic', 4)
      return
    }
    if (!gather()) return
    if (phase === 'magic') onMagic()
    else if (phase === 'descriptor') onDescriptor()
    else if (phase === 'frame-header') onFrameHeader()
    else if (phase === 'block-header') onBlockHeader()
    else if (phase === 'skip-size') {
      left = head.readUInt32LE(0)
      phase = 'skip'
      if (left === 0) expect('magic', 4)
    }
  }

  return {
    feed(bytes) {
      chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      at = 0
    },
    next() {
      for (;;) {
        const ready = queue.shift()
        if (ready) return ready
        if (isEnding) {
          isEnding = false
          return END
        }
        if (at >= chunk.length) return null
        if (phase !== 'pass') {
          step()
          continue
        }
        const event = pass()
        if (event) return event
      }
    },
    finish() {
      if (phase === 'magic' && gathered === 0) return
      throw bottleError('artifact-invalid', 'The compressed data ends too early.', {
        detail: 'zstd: truncated',
      })
    },
  }
}

/** Bytes of the frame header after its descriptor. */
function frameHeaderBytes(descriptor: number): number {
  const isSingle = (descriptor & 0x20) !== 0
  const flag = descriptor >> 6
  const sizeBytes = flag === 0 ? (isSingle ? 1 : 0) : 2 ** flag
  return sizeBytes + (isSingle ? 0 : 1)
}

function readContentSize(head: Buffer, descriptor: number): number | null {
  const isSingle = (descriptor & 0x20) !== 0
  const at = isSingle ? 5 : 6
  switch (descriptor >> 6) {
    case 0:
      return isSingle ? (head[at] ?? 0) : null
    case 1:
      return head.readUInt16LE(at) + 256
    case 2:
      return head.readUInt32LE(at)
    default:
      return Number(head.readBigUInt64LE(at))
  }
}

function windowOf(byte: number): number {
  const base = 2 ** (10 + (byte >> 3))
  return base + (base / 8) * (byte & 7)
}

function damaged(what: string) {
  return bottleError('artifact-invalid', `The compressed data holds ${what}.`, { detail: 'zstd: invalid' })
}
