/** True for data that gzip or zstd has packed. */
export function compressionOf(data: Uint8Array): 'gzip' | 'zstd' | null {
  if (data[0] === 0x1f && data[1] === 0x8b) return 'gzip'
  const isZstd = data[0] === 0x28 && data[1] === 0xb5 && data[2] === 0x2f && data[3] === 0xfd
  return isZstd ? 'zstd' : null
}

/** The data without its compression, if it has one. */
export function decompress(data: Buffer): Buffer {
  const kind = compressionOf(data)
  if (kind === null) return data
  // Loaded when it is needed: a double is started hundreds of times, and hardly ever for this.
  const zlib = process.getBuiltinModule('node:zlib')
  return kind === 'gzip' ? zlib.gunzipSync(data) : zlib.zstdDecompressSync(data)
}
