import { bottleError, toBottleError } from '../system/bottle-error.ts'
import { BLOCK_BYTES, GZIP_HEADER, GZIP_HISTORY, gzipTrailer } from './compress-block.ts'
import type { Pool } from './pool.ts'
import { createSlots, type Slot, type SlotMemory } from './slots.ts'
import type { Codec, Packed } from './types.ts'

/** Blocks beyond one per thread: one being filled, one being written. */
const SPARE_BLOCKS = 2

export interface PackThreads {
  readonly compressors: Pool
  /** One thread: a hash can't be split. */
  readonly hasher: Pool
  readonly memory: SlotMemory
}

type Sink = (chunk: Uint8Array) => Promise<void>

let lastKey = 0

/** See `Workers.pack`. */
export async function pack(
  threads: PackThreads,
  content: AsyncIterable<Uint8Array>,
  codec: Codec,
  sink: Sink,
  signal: AbortSignal,
): Promise<Packed> {
  lastKey++
  const key = lastKey
  const hasher = threads.hasher.pick()
  const release = threads.hasher.hold()
  const add = (stream: 'content' | 'output', bytes: Uint8Array) =>
    hasher.call('digest-add', { key, stream, bytes }).result
  try {
    const out = createOutput(sink, codec === 'none' ? null : (bytes) => add('output', bytes))
    if (codec === 'gzip') await out.write(GZIP_HEADER)
    const contentBytes = await packBlocks(
      threads,
      content,
      codec,
      out,
      (bytes) => add('content', bytes),
      signal,
    )
    const tell = () => hasher.call('digest-tell', { key }).result
    if (codec === 'gzip') await out.write(gzipTrailer((await tell()).crc, contentBytes))
    const told = await tell()
    return {
      contentDigest: told.content,
      contentBytes,
      digest: codec === 'none' ? told.content : told.output,
      bytes: out.bytes(),
    }
  } catch (error) {
    throw toBottleError(error)
  } finally {
    await hasher.call('digest-end', { key }).result.catch(() => undefined)
    release()
  }
}

interface Output {
  /** Hashes and hands on; `chunk` may be reused once it resolves. */
  write(chunk: Uint8Array): Promise<void>
  bytes(): number
}

function createOutput(sink: Sink, hash: ((bytes: Uint8Array) => Promise<unknown>) | null): Output {
  let bytes = 0
  return {
    async write(chunk) {
      bytes += chunk.length
      const [written, hashed] = await Promise.allSettled([sink(chunk), hash?.(chunk)])
      if (written.status === 'rejected') throw written.reason
      if (hashed.status === 'rejected') throw hashed.reason
    },
    bytes: () => bytes,
  }
}

/** Cuts the content into blocks, has them compressed side by side, and writes them in order. */
async function packBlocks(
  threads: PackThreads,
  content: AsyncIterable<Uint8Array>,
  codec: Codec,
  out: Output,
  hashContent: (bytes: Uint8Array) => Promise<unknown>,
  signal: AbortSignal,
): Promise<number> {
  const history = codec === 'gzip' ? GZIP_HISTORY : 0
  const blockBytes = BLOCK_BYTES[codec]
  const slots = createSlots(threads.memory, threads.compressors.size + SPARE_BLOCKS)
  const stop = () => slots.fail(bottleError('cancelled'))
  if (signal.aborted) throw bottleError('cancelled')
  signal.addEventListener('abort', stop, { once: true })

  let contentBytes = 0
  let tail: Promise<void> = Promise.resolve()
  let slot: Slot | null = null
  /** Where the block starts in its slot, and how far it is filled. */
  let from = 0
  let filled = 0

  async function emit(
    done: Slot,
    before: Promise<void>,
    packed: Promise<Uint8Array>,
    hashed: Promise<unknown>,
  ) {
    const [bytes] = await Promise.all([packed, hashed, before])
    if (slots.failure()) return
    await out.write(bytes)
    slots.give(done)
  }

  function submit(full: Slot): void {
    const block = full.input.subarray(from, filled)
    contentBytes += block.length
    const packed =
      codec === 'none'
        ? Promise.resolve(block)
        : threads.compressors
            .pick()
            .call('compress', {
              codec,
              input: full.input.subarray(0, filled),
              before: from,
              output: full.output,
            })
            .result.then((length) => full.output.subarray(0, length))
    tail = emit(full, tail, packed, hashContent(block))
    tail.catch(slots.fail)
  }

  const source = content[Symbol.asyncIterator]()
  try {
    for (;;) {
      const step = await slots.unlessFailed(source.next())
      if (step.done) break
      const chunk = step.value
      for (let at = 0; at < chunk.length; ) {
        if (!slot) {
          slot = await slots.take()
          from = filled
        }
        const part = Math.min(from + blockBytes - filled, chunk.length - at)
        slot.input.set(chunk.subarray(at, at + part), filled)
        filled += part
        at += part
        if (filled < from + blockBytes) continue
        const full: Slot = slot
        submit(full)
        slot = null
        filled = 0
        if (history > 0) {
          slot = await slots.take()
          slot.input.set(full.input.subarray(from + blockBytes - history, from + blockBytes))
          from = history
          filled = history
        }
      }
    }
    if (slot && filled > from) submit(slot)
    // An empty file is still a frame, or readers take it for damaged.
    else if (contentBytes === 0 && codec === 'zstd') submit(await slots.take())
    await tail
  } catch (error) {
    slots.fail(error)
    // Not awaited: a source that is stuck would never answer.
    source.return?.().then(undefined, () => undefined)
    await tail.catch(() => undefined)
    throw slots.failure() ?? error
  } finally {
    signal.removeEventListener('abort', stop)
    slots.release()
  }
  return contentBytes
}
