import { bottleError, toBottleError } from '../system/bottle-error.ts'
import { BLOCK_BYTES, GZIP_HEADER, GZIP_HISTORY } from './compress-block.ts'
import { giveBack } from './give-back.ts'
import type { Pool } from './pool.ts'
import { createSlots, type Slot, type SlotMemory, type Slots } from './slots.ts'
import type { Codec, Packed } from './types.ts'
import { createSweeper } from './young-garbage.ts'

export interface PackTools {
  /** Of one thread: hashes can't be split, and the compression runs on Node's own pool. */
  readonly packers: Pool
  readonly memory: SlotMemory
  /** How many blocks of one stream are in memory at most. */
  readonly blocks: number
}

type Sink = (chunk: Uint8Array) => Promise<void>
/** Sends a block off; resolves with its packed bytes, null when they are the block itself. */
type PackBlock = (input: Uint8Array, before: number) => Promise<Uint8Array | null>

let lastKey = 0

/** See `Workers.pack`. */
export async function pack(
  tools: PackTools,
  content: AsyncIterable<Uint8Array>,
  codec: Codec,
  sink: Sink,
  signal: AbortSignal,
): Promise<Packed> {
  if (signal.aborted) throw bottleError('cancelled')
  lastKey++
  const key = lastKey
  const thread = tools.packers.pick()
  const release = tools.packers.hold()
  const slots = createSlots(tools.memory, tools.blocks)
  const stop = () => slots.fail(bottleError('cancelled'))
  signal.addEventListener('abort', stop, { once: true })
  const end = () => thread.call('pack-end', { key, codec }).result
  let isEnded = false
  try {
    if (codec === 'gzip') await sink(GZIP_HEADER)
    const packBlock: PackBlock = (input, before) =>
      thread.call('pack-block', { key, codec, input, before }).result
    await packBlocks(content, codec, slots, packBlock, sink)
    isEnded = true
    const { packed, tail } = await end()
    if (tail.length > 0) await sink(tail)
    if (signal.aborted) throw bottleError('cancelled')
    return packed
  } catch (error) {
    throw toBottleError(error)
  } finally {
    signal.removeEventListener('abort', stop)
    if (!isEnded) await end().catch(() => undefined)
    slots.release()
    release()
  }
}

/** Cuts the content into blocks, has them packed side by side, and writes them in order. */
async function packBlocks(
  content: AsyncIterable<Uint8Array>,
  codec: Codec,
  slots: Slots,
  packBlock: PackBlock,
  sink: Sink,
): Promise<void> {
  const history = codec === 'gzip' ? GZIP_HISTORY : 0
  const blockBytes = BLOCK_BYTES[codec]
  const sweep = createSweeper()
  let tail: Promise<void> = Promise.resolve()
  let blocks = 0
  let slot: Slot | null = null
  /** Where the block starts in its slot, and how far it is filled. */
  let from = 0
  let filled = 0

  async function emit(
    full: Slot,
    block: Uint8Array,
    before: Promise<void>,
    packing: Promise<Uint8Array | null>,
  ) {
    const [packed] = await Promise.all([packing, before])
    if (slots.failure()) return
    await sink(packed ?? block)
    if (packed) giveBack(packed)
    slots.give(full)
  }

  function submit(full: Slot): void {
    blocks++
    tail = emit(full, full.subarray(from, filled), tail, packBlock(full.subarray(0, filled), from))
    tail.catch(slots.fail)
  }

  async function startBlock(last: Slot | null): Promise<Slot> {
    const next = await slots.take()
    // The block before stays readable here even if its memory is free by now: nobody else fills slots.
    if (last && history > 0) next.set(last.subarray(filled - history, filled))
    from = last ? history : 0
    filled = from
    return next
  }

  const source = content[Symbol.asyncIterator]()
  let last: Slot | null = null
  try {
    for (;;) {
      const step = await slots.unlessFailed(source.next())
      if (step.done) break
      const chunk = step.value
      for (let at = 0; at < chunk.length; ) {
        slot ??= await startBlock(last)
        const part = Math.min(from + blockBytes - filled, chunk.length - at)
        slot.set(chunk.subarray(at, at + part), filled)
        filled += part
        at += part
        if (filled < from + blockBytes) continue
        submit(slot)
        last = slot
        slot = null
      }
      sweep(chunk.length)
    }
    if (slot) submit(slot)
    // An empty file is still a frame, or readers take it for damaged.
    else if (blocks === 0 && codec === 'zstd') submit(await startBlock(null))
    await tail
    const failure = slots.failure()
    if (failure) throw failure
  } catch (error) {
    slots.fail(error)
    // Not awaited: a source that is stuck would never answer.
    source.return?.().then(undefined, () => undefined)
    await tail.catch(() => undefined)
    throw slots.failure() ?? error
  }
}
