import zlib from 'node:zlib'
import { bottleError } from '../system/bottle-error.ts'
import type { Codec } from './types.ts'

const { constants } = zlib

/**
 * Content bytes per block. Part of the output's form: another size gives other bytes. zstd's blocks are frames of
 * their own and want to be large for the ratio; gzip's share 32 kB of history.
 */
export const BLOCK_BYTES: Readonly<Record<Codec, number>> = { zstd: 4 << 20, gzip: 1 << 20, none: 1 << 20 }

/** Bytes of the block before that a gzip block may refer to. */
export const GZIP_HISTORY = 32 * 1024

/** One member, fastest method, no time, system unknown. */
export const GZIP_HEADER: Uint8Array = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255)

/** More than a block can ever grow to. */
export function largestOutput(codec: Codec): number {
  return codec === 'none' ? 0 : BLOCK_BYTES[codec] + (BLOCK_BYTES[codec] >> 7) + 4096
}

/** An empty last deflate block, the content's CRC-32 and its length, as gzip ends. */
export function gzipTrailer(crc: number, contentBytes: number): Uint8Array {
  const trailer = Buffer.alloc(10)
  trailer[0] = 3
  trailer.writeUInt32LE(crc >>> 0, 2)
  trailer.writeUInt32LE(contentBytes % 2 ** 32, 6)
  return trailer
}

/**
 * Compresses one block into `output` and tells its length. Blocks until done: for worker threads only.
 * @param before bytes at the start of `input` that are history, not content
 */
export function compressBlock(
  codec: Exclude<Codec, 'none'>,
  input: Uint8Array,
  before: number,
  output: Uint8Array,
): number {
  const block = input.subarray(before)
  const packed = codec === 'gzip' ? deflateBlock(block, input.subarray(0, before)) : zstdBlock(block)
  const { length } = packed
  output.set(packed)
  free(packed)
  return length
}

/** Gives a buffer's memory back now: waiting for the collector costs some 60 MB on each thread. */
function free(bytes: Buffer): void {
  if (bytes.length > 0 && bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer?.(0)
}

function deflateBlock(block: Uint8Array, history: Uint8Array): Buffer {
  return zlib.deflateRawSync(block, {
    level: 1,
    memLevel: 9,
    chunkSize: largestOutput('gzip'),
    // Ends on a byte without ending the stream, so that blocks can follow each other.
    finishFlush: constants.Z_SYNC_FLUSH,
    ...(history.length > 0 ? { dictionary: history } : {}),
  })
}

function zstdBlock(block: Uint8Array): Buffer {
  if (typeof zlib.zstdCompressSync !== 'function') {
    throw bottleError('unsupported', 'Writing zstd needs Node 22.15 or newer; choose gzip.')
  }
  // Never nbWorkers: with it Node cuts the output short without an error.
  return zlib.zstdCompressSync(block, {
    chunkSize: largestOutput('zstd'),
    params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
  })
}
