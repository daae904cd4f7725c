import { pullChunks } from './pull-chunks.ts'
import type { Thread } from './thread.ts'
import type { LayerScan, ScanOptions } from './types.ts'

/** See `Workers.scanAlong`. */
export function scanAlong(
  thread: Thread,
  file: string,
  options: ScanOptions,
  signal: AbortSignal,
): { readonly content: AsyncGenerator<Uint8Array, void, undefined>; readonly scan: Promise<LayerScan> } {
  const { promise, resolve, reject } = Promise.withResolvers<LayerScan>()
  // Heard of where it is awaited; whoever only reads the content hears of it there.
  promise.catch(() => undefined)
  const content = pullChunks((onChunk) => {
    const call = thread.call('scan', { file, options, isSent: true }, { signal, onChunk })
    call.result.then(resolve, reject)
    return call
  }, signal)
  return { content, scan: promise }
}
