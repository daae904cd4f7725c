import zlib from 'node:zlib'
import { bottleError } from '../system/bottle-error.ts'
import type { Codec } from './types.ts'

const { constants } = zlib

/**
 * Content bytes per block. Part of the output's form: another size gives other bytes. zstd's blocks are frames of
 * their own and want to be large for the ratio; gzip's share 32 kB of history.
 */
export const BLOCK_BYTES: Readonly<Record<Codec, number>> = { zstd: 2 << 20, gzip: 1 << 20, none: 1 << 20 }

/** Bytes of the block before that a gzip block may refer to. */
export const GZIP_HISTORY = 32 * 1024

/** One member, fastest method, no time, system unknown. */
export const GZIP_HEADER: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255)

/** An empty last deflate block, the content's CRC-32 and its length, as gzip ends. */
export function gzipTrailer(crc: number, contentBytes: number): Uint8Array {
  const trailer = Buffer.alloc(10)
  trailer[0] = 3
  trailer.writeUInt32LE(crc >>> 0, 2)
  trailer.writeUInt32LE(contentBytes % 2 ** 32, 6)
  return trailer
}

/**
 * Compresses one block on Node's own pool of threads. The result's memory is nobody else's: whoever has used it can
 * give it back with `giveBack`.
 * @param before bytes at the start of `input` that are history, not content
 */
export function compressBlock(
  codec: Exclude<Codec, 'none'>,
  input: Uint8Array,
  before: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const history = input.subarray(0, before)
  // Room for all of the output at once: zstd makes other, larger bytes when it has to pause.
  const chunkSize = BLOCK_BYTES[codec] + (BLOCK_BYTES[codec] >> 7) + 4096
  // A stream that is full holds the write's callback back until it is read.
  const room = { chunkSize, readableHighWaterMark: 2 * chunkSize }
  const coder =
    codec === 'gzip'
      ? zlib.createDeflateRaw({
          level: 1,
          memLevel: 9,
          ...room,
          // Ends on a byte without ending the stream, so that blocks can follow each other.
          flush: constants.Z_SYNC_FLUSH,
          ...(before > 0 ? { dictionary: history } : {}),
        })
      : zstdCoder(room)
  return new Promise((resolve, reject) => {
    coder.on('error', reject)
    // Written, not ended: an end would append an empty frame.
    coder.write(input.subarray(before), () => {
      const packed: Buffer<ArrayBuffer> | null = coder.read()
      coder.destroy()
      if (packed) resolve(packed)
      else reject(bottleError('internal', 'A block could not be compressed.'))
    })
  })
}

function zstdCoder(room: object) {
  if (typeof zlib.createZstdCompress !== 'function') {
    throw bottleError('unsupported', 'Writing zstd needs Node 22.15 or newer; choose gzip.')
  }
  // Never nbWorkers: with it Node cuts the output short without an error.
  return zlib.createZstdCompress({
    ...room,
    flush: constants.ZSTD_e_end,
    params: {
      [constants.ZSTD_c_compressionLevel]: 3,
      // Tables that fit beside the data into a core's cache: a fifth less time than level 3 for one percent more bytes.
      [constants.ZSTD_c_hashLog]: 16,
      [constants.ZSTD_c_chainLog]: 15,
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  })
}
