/** Bytes of a chunk that is read from a file. */
export const CHUNK_BYTES = 1 << 20
/** Small pieces share memory with others. */
const OWN_FROM = 128 * 1024
/** Chunks that are kept to be filled again. */
const MOST_SPARE = 3

const spare: ArrayBuffer[] = []
const lent = new WeakSet<ArrayBuffer>()

/** Memory for one chunk, which `giveBackChunk` takes again: a system's allocator keeps holes where buffers come and go. */
export function chunkMemory(): Buffer<ArrayBuffer> {
  const memory = spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES).buffer
  lent.add(memory)
  return Buffer.from(memory)
}

/** Frees memory now that the collector would only free 60 MB later. Its views are empty afterwards. */
export function giveBack(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer?.(0)
}

/**
 * Frees a stream's chunk that nobody needs any more, where its memory is surely its own: a decoder fills one buffer with
 * several chunks, and has left it once the last of them is out.
 */
export function giveBackChunk(chunk: Uint8Array): void {
  const { buffer } = chunk
  if (buffer.byteLength < OWN_FROM || chunk.byteOffset + chunk.byteLength !== buffer.byteLength) return
  // Each chunk comes back once at most, or two readers would share it.
  if (buffer instanceof ArrayBuffer && lent.delete(buffer) && spare.length < MOST_SPARE) spare.push(buffer)
  else giveBack(chunk)
}
