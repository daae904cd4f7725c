import type { Writable } from 'node:stream'
import { bottleError } from '../../system/bottle-error.ts'
import type { ArchiveSink } from './write-archive.ts'

export interface StreamSink extends ArchiveSink {
  /** Waits until all was handed on. The stream is not ended: it may be standard output. */
  finish(): Promise<void>
  /** Takes the listeners off again. */
  release(): void
}

/** Reader's gone: no fault of ours, and nothing to tell. */
const GONE: ReadonlySet<string | undefined> = new Set([
  'EPIPE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
])

/**
 * Writes an archive to a stream no faster than it takes it.
 * @throws BottleError `cancelled` when its reader went away, or when the signal aborts while it stands still
 */
export function streamSink(stream: Writable, signal: AbortSignal): StreamSink {
  let failure: Error | undefined
  let wake: (() => void) | undefined
  const fail = (error: Error): void => {
    failure ??= error
    wake?.()
  }
  const onError = (error: NodeJS.ErrnoException): void =>
    fail(GONE.has(error.code) ? bottleError('cancelled', 'The reader went away.', { cause: error }) : error)
  const onClose = (): void => fail(bottleError('cancelled', 'The reader went away.'))
  const onAbort = (): void => fail(bottleError('cancelled'))
  stream.on('error', onError)
  stream.on('close', onClose)
  signal.addEventListener('abort', onAbort, { once: true })
  const write = (chunk: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure)
      wake = () => (failure ? reject(failure) : resolve())
      // Only the callback says that the bytes are no longer needed; the chunk is used again.
      stream.write(chunk, (error) => {
        if (error) onError(error)
        wake?.()
      })
    })
  return {
    write,
    finish: () => write(Buffer.alloc(0)),
    release() {
      stream.off('error', onError)
      stream.off('close', onClose)
      signal.removeEventListener('abort', onAbort)
    },
  }
}
