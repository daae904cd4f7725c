import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { bottleError } from '../system/bottle-error.ts'
import { CHUNK_BYTES, chunkMemory } from './give-back.ts'

/** A file that is read once, front to back, and hashed on the way. */
export interface HashedFile {
  /** Its size when it was opened. */
  readonly size: number
  /** What has not been read yet; may be given up and taken up again. Every chunk is a buffer of its own. */
  rest(): AsyncGenerator<Buffer, void, undefined>
  /** Reads what is left and tells the digest of all. */
  finish(): Promise<{ readonly digest: string; readonly bytes: number }>
  close(): Promise<void>
}

/** Opens a file to be read. @throws BottleError `cancelled`; system errors as they are */
export async function openHashed(file: string, signal: AbortSignal, isHashed = true): Promise<HashedFile> {
  const handle: FileHandle = await open(file, 'r')
  const hash: Hash = createHash('sha256')
  let position = 0
  async function* rest() {
    for (;;) {
      if (signal.aborted) throw bottleError('cancelled')
      const buffer = chunkMemory()
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position)
      if (bytesRead === 0) return
      position += bytesRead
      const chunk = buffer.subarray(0, bytesRead)
      if (isHashed) hash.update(chunk)
      yield chunk
    }
  }
  return {
    size: (await handle.stat()).size,
    rest,
    async finish() {
      // One buffer for all: nobody else sees these chunks, and a thread's collector would free them late.
      const buffer = chunkMemory()
      for (;;) {
        if (signal.aborted) throw bottleError('cancelled')
        const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position)
        if (bytesRead === 0) break
        position += bytesRead
        if (isHashed) hash.update(buffer.subarray(0, bytesRead))
      }
      return { digest: `sha256:${hash.digest('hex')}`, bytes: position }
    },
    close: () => handle.close(),
  }
}
