import { pullChunks } from './pull-chunks.ts'
import type { Thread } from './thread.ts'
import type { Codec } from './types.ts'

/** See `Workers.unpack`. The thread is picked when the first chunk is asked for. */
export function unpack(
  pick: () => Thread,
  file: string,
  codec: Codec | 'detect',
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  return pullChunks((onChunk) => pick().call('unpack', { file, codec }, { signal, onChunk }), signal)
}
