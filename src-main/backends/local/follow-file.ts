import { type FileHandle, open } from 'node:fs/promises'
import type { LogOptions } from '../backend.ts'
import { waitUntil } from './wait-until.ts'

const CHUNK_BYTES = 65_536
const POLL_MS = 1000

/**
 * A run's output as it was written; with `follow` until the agent has ended. Memory is one chunk.
 * @param folders whose changes may mean more output or the end
 */
export async function* followFile(
  path: string,
  options: LogOptions,
  folders: readonly string[],
  hasEnded: () => Promise<boolean>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (!file) return
  try {
    const { size } = await file.stat()
    let at = options.tailBytes === undefined ? 0 : Math.max(0, size - options.tailBytes)
    for (;;) {
      // Asked before reading: what is written before the end is then read after it.
      const isOver = !options.follow || (await hasEnded())
      for await (const chunk of readFrom(file, at, signal)) {
        at += chunk.length
        yield chunk
      }
      if (isOver || signal.aborted) return
      await untilMore(file, at, folders, hasEnded, signal)
    }
  } finally {
    await file.close()
  }
}

async function* readFrom(file: FileHandle, from: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let at = from; !signal.aborted; ) {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function untilMore(
  file: FileHandle,
  at: number,
  folders: readonly string[],
  hasEnded: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await waitUntil(folders, POLL_MS, signal, async () => {
      if ((await file.stat()).size > at) return true
      return (await hasEnded()) ? true : undefined
    })
  } catch (thrown) {
    // Whoever follows simply stops; that is no failure.
    if (!signal.aborted) throw thrown
  }
}
