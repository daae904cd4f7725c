/** Small pieces share memory with others. */
const OWN_FROM = 128 * 1024

/** Frees memory now that the collector would only free 60 MB later. Its views are empty afterwards. */
export function giveBack(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer?.(0)
}

/**
 * Frees a stream's chunk that nobody needs any more, where its memory is surely its own: a decoder fills one buffer with
 * several chunks, and has left it once the last of them is out.
 */
export function giveBackChunk(chunk: Uint8Array): void {
  const { byteLength } = chunk.buffer
  if (byteLength >= OWN_FROM && chunk.byteOffset + chunk.byteLength === byteLength) giveBack(chunk)
}
