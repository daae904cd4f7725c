import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import zlib from 'node:zlib'
import { compressBlock, GZIP_HEADER, gzipTrailer } from './compress-block.ts'
import type { Codec, Packed } from './types.ts'

/** Node's pool has four threads, which the file system needs too. */
const AT_ONCE = Math.max(1, Math.min(availableParallelism(), 4))

/** One stream on its way through the packing thread. */
export interface PackSession {
  /** Hashes the block at once, compresses it beside others, and resolves in the order of the calls. */
  add(input: Uint8Array, before: number): Promise<Uint8Array<ArrayBuffer> | null>
  end(): { readonly packed: Packed; readonly tail: Uint8Array }
}

/** Lets so many tasks run at a time, first come, first served. */
export function createGate(atOnce: number): <T>(task: () => Promise<T>) => Promise<T> {
  let running = 0
  const queue: (() => void)[] = []
  return async (task) => {
    if (running >= atOnce) await new Promise<void>((resolve) => queue.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      const next = queue.shift()
      if (next) next()
      else running--
    }
  }
}

const gate = createGate(AT_ONCE)

/** Starts a stream. Nothing in its bytes depends on how many threads there are. */
export function startPackSession(codec: Codec): PackSession {
  const contentHash = createHash('sha256')
  const outputHash = createHash('sha256')
  let contentBytes = 0
  let bytes = 0
  let crc = 0
  let tail: Promise<unknown> = Promise.resolve()

  const write = (packed: Uint8Array) => {
    outputHash.update(packed)
    bytes += packed.length
  }
  if (codec === 'gzip') write(GZIP_HEADER)
  return {
    add(input, before) {
      const block = input.subarray(before)
      const compressed = codec === 'none' ? null : gate(() => compressBlock(codec, input, before))
      compressed?.catch(() => undefined)
      // While other threads compress.
      contentHash.update(block)
      contentBytes += block.length
      if (codec === 'gzip') crc = zlib.crc32(block, crc)
      const done = tail.then(async () => {
        const packed = await compressed
        if (packed) write(packed)
        return packed
      })
      tail = done.catch(() => undefined)
      return done
    },
    end() {
      const ending = codec === 'gzip' ? gzipTrailer(crc, contentBytes) : new Uint8Array(0)
      write(ending)
      const contentDigest = `sha256:${contentHash.digest('hex')}`
      return {
        packed:
          codec === 'none'
            ? { contentDigest, contentBytes, digest: contentDigest, bytes: contentBytes }
            : { contentDigest, contentBytes, digest: `sha256:${outputHash.digest('hex')}`, bytes },
        tail: ending,
      }
    },
  }
}
