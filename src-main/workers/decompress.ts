import type { Duplex } from 'node:stream'
import zlib from 'node:zlib'
import { bottleError } from '../system/bottle-error.ts'
import { giveBackChunk } from './give-back.ts'
import type { Codec } from './types.ts'
import { createFrameSplitter } from './zstd-frames.ts'

/** Node's default of 16 kB costs a third of the speed. */
const CHUNK = 1 << 20
/** With room for the decoder to work ahead while its reader hashes. */
const DECODER = { chunkSize: CHUNK, readableHighWaterMark: 2 << 20 }
/** Frames up to this size, packed and unpacked, are decoded whole and several at a time. */
const WHOLE_FRAME = 16 << 20
const FRAMES_AT_ONCE = 2

/** Tells a stream's codec by its first bytes; `none` for whatever is not known. */
export function detectCodec(head: Uint8Array): Codec {
  const [a = 0, b = 0, c = 0, d = 0] = head
  if (a === 0x1f && b === 0x8b) return 'gzip'
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd'
  if ((a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd'
  return 'none'
}

/**
 * Decompresses a stream, ahead of its reader by a few megabytes at most. The source's chunks must not be reused.
 * @throws BottleError `artifact-invalid` for damaged, truncated or followed-by-garbage data
 */
export async function* decompress(
  source: AsyncIterable<Buffer>,
  codec: Codec,
): AsyncGenerator<Buffer, void, undefined> {
  if (codec === 'none') yield* source
  else if (codec === 'gzip') yield* gunzip(source)
  else yield* unzstd(source)
}

async function* gunzip(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const decoder = zlib.createGunzip(DECODER)
  let fed = 0
  async function* counted() {
    for await (const chunk of source) {
      fed += chunk.length
      yield chunk
    }
  }
  yield* through(decoder, counted())
  // Zeros after the last member are passed over in silence by Node, and by gunzip with a warning.
  if (decoder.bytesWritten < fed) throw invalid('The compressed data is followed by something else.')
}

async function* unzstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  if (typeof zlib.createZstdDecompress !== 'function') {
    throw bottleError('unsupported', 'Reading zstd needs Node 22.15 or newer.')
  }
  const events = frameEvents(source)
  const waiting: Promise<Buffer>[] = []
  let frames = 0
  try {
    for (let step = await events.next(); !step.done; step = await events.next()) {
      if (step.value.kind !== 'frame') continue
      frames++
      const { contentBytes } = step.value
      const parts: Buffer[] = []
      const isWhole = contentBytes !== null && contentBytes <= WHOLE_FRAME && (await gather(events, parts))
      if (isWhole) {
        waiting.push(quiet(decodeWhole(Buffer.concat(parts), contentBytes)))
        if (waiting.length > FRAMES_AT_ONCE) yield* shift(waiting)
        continue
      }
      while (waiting.length > 0) yield* shift(waiting)
      const decoder = zlib.createZstdDecompress(DECODER)
      yield* through(decoder, restOfFrame(parts, events))
    }
    while (waiting.length > 0) yield* shift(waiting)
    if (frames === 0) throw invalid('The compressed data ends too early.')
  } finally {
    await events.return()
  }
}

type Events = AsyncGenerator<
  { kind: 'frame'; contentBytes: number | null } | { kind: 'data'; bytes: Buffer } | { kind: 'end' },
  void,
  undefined
>

async function* frameEvents(source: AsyncIterable<Buffer>): Events {
  const splitter = createFrameSplitter()
  for await (const chunk of source) {
    splitter.feed(chunk)
    for (let event = splitter.next(); event; event = splitter.next()) yield event
  }
  splitter.finish()
}

/** Takes a frame's bytes into memory; false as soon as they are too many. */
async function gather(events: Events, parts: Buffer[]): Promise<boolean> {
  let bytes = 0
  for (;;) {
    const step = await events.next()
    if (step.done || step.value.kind === 'end') return true
    if (step.value.kind !== 'data') continue
    parts.push(step.value.bytes)
    bytes += step.value.bytes.length
    if (bytes > WHOLE_FRAME) return false
  }
}

/** What was gathered and what is left of the frame, in pieces that are worth a call. */
async function* restOfFrame(first: readonly Buffer[], events: Events): AsyncGenerator<Buffer> {
  let parts = [...first]
  let bytes = parts.reduce((sum, part) => sum + part.length, 0)
  for (;;) {
    if (bytes >= CHUNK) {
      yield Buffer.concat(parts)
      parts = []
      bytes = 0
    }
    const step = await events.next()
    if (step.done || step.value.kind === 'end') break
    if (step.value.kind !== 'data') continue
    parts.push(step.value.bytes)
    bytes += step.value.bytes.length
  }
  if (bytes > 0) yield Buffer.concat(parts)
}

async function* shift(waiting: Promise<Buffer>[]): AsyncGenerator<Buffer> {
  const first = waiting.shift()
  if (first) yield await first
}

/** Its failure is seen when its turn comes, also when that is later. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

function decodeWhole(frame: Buffer, contentBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // One byte more than told, so that a frame with more content than its header says is noticed.
    const options = { chunkSize: Math.max(contentBytes + 1, 1024), maxOutputLength: contentBytes + 1 }
    zlib.zstdDecompress(frame, options, (error, content) => {
      if (error) reject(zlibError(error))
      else if (content.length !== contentBytes) reject(invalid('The compressed data is damaged.'))
      else resolve(content)
    })
  })
}

/** Pumps a source through a decoder; an early end of the reading stops both. */
async function* through(
  decoder: Duplex,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  let failed: unknown
  decoder.on('error', () => undefined)
  const pump = async () => {
    try {
      for await (const chunk of source) {
        if (decoder.destroyed) return
        // Taken in by the time that it is called back: nobody else has the chunk.
        if (!decoder.write(chunk, () => giveBackChunk(chunk))) await drained(decoder)
      }
      decoder.end()
    } catch (error) {
      failed ??= error
      decoder.destroy()
    }
  }
  const pumping = pump()
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) yield chunk
  } catch (error) {
    throw failed ?? zlibError(error)
  } finally {
    decoder.destroy()
    await pumping
  }
  if (failed) throw failed
}

function drained(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      stream.off('drain', go).off('close', go)
      resolve()
    }
    stream.on('drain', go).on('close', go)
  })
}

function zlibError(error: unknown): unknown {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (code === 'Z_BUF_ERROR' || code === 'ZSTD_error_srcSize_wrong') {
    return invalid('The compressed data ends too early.', error)
  }
  if (/^(Z_|ZSTD_|ERR_ZSTD|ERR_BUFFER_TOO_LARGE)/.test(code)) {
    return invalid('The compressed data is damaged.', error, message)
  }
  return error
}

function invalid(sentence: string, cause?: unknown, detail?: string) {
  return bottleError('artifact-invalid', sentence, { cause, detail })
}
