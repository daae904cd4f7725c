import { pullChunks } from './pull-chunks.ts'
import type { Thread } from './thread.ts'
import type { Codec } from './types.ts'

/** See `Workers.unpack`: pulls chunks from a thread, which is a few of them ahead. */
export function unpack(
  thread: Thread,
  file: string,
  codec: Codec | 'detect',
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  return pullChunks((onChunk) => thread.call('unpack', { file, codec }, { signal, onChunk }), signal, false)
}

/** See `Workers.skim`: the thread fills the same few chunks over and over. */
export function skim(
  thread: Thread,
  file: string,
  codec: Codec | 'detect',
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  return pullChunks((onChunk) => thread.call('unpack', { file, codec }, { signal, onChunk }), signal, true)
}
