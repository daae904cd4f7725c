import { type FileHandle, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { requireReserve } from './free-space.ts'
import type { Staging } from './types.ts'

/** Sent on its way to the disk after so many bytes, so that the last flush has little left to wait for. */
const FLUSH_BYTES = 32 * 1024 * 1024

/** A file that grows at its end; what was written goes to the disk while more is being made. */
export interface GrowingFile {
  readonly path: string
  readonly bytes: () => number
  readonly write: (chunk: Uint8Array) => Promise<void>
  /** Goes back to so many bytes; what came after them is forgotten. */
  readonly cut: (bytes: number) => Promise<void>
  /** Closes it. Nothing is promised about the disk: adopting it flushes. */
  readonly close: () => Promise<void>
}

/** Makes a file of a staging folder. The name must be new there. */
export async function openStagedFile(staging: Staging, name: string): Promise<GrowingFile> {
  const path = join(staging.dir, name)
  return growingFile(path, await open(path, 'wx', 0o600))
}

/** Writes at the end of an open file, which `close` closes. */
export function growingFile(path: string, handle: FileHandle): GrowingFile {
  let bytes = 0
  let flushedAt = 0
  let flushing: Promise<void> | undefined
  let failure: unknown
  return {
    path,
    bytes: () => bytes,
    async write(chunk) {
      if (failure) throw failure
      let from = 0
      while (from < chunk.length) {
        const { bytesWritten } = await handle.write(chunk, from, chunk.length - from, bytes + from)
        from += bytesWritten
      }
      bytes += chunk.length
      if (bytes - flushedAt < FLUSH_BYTES || flushing) return
      flushedAt = bytes
      flushing = Promise.all([handle.datasync(), requireReserve(dirname(path))])
        .then(() => undefined)
        .catch((error: unknown) => {
          failure = error
        })
        .finally(() => {
          flushing = undefined
        })
    },
    async cut(to) {
      await flushing
      await handle.truncate(to)
      bytes = to
      flushedAt = Math.min(flushedAt, to)
    },
    async close() {
      await flushing
      await handle.close()
      if (failure) throw failure
    },
  }
}
