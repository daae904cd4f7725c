import { pipeline, type Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'

/** Uncompressed content; ends the source when it is left early. */
export function inflate(content: AsyncIterable<Uint8Array>, codec: 'gzip' | 'zstd'): Readable {
  const chunkSize = 1 << 18
  const stream = codec === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize })
  // Errors of either end come out of the stream itself.
  return pipeline(content, stream, () => {})
}
