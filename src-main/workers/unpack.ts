import { bottleError } from '../system/bottle-error.ts'
import type { Pool } from './pool.ts'
import type { Codec } from './types.ts'

/** See `Workers.unpack`: pulls chunks from a thread, which is a few of them ahead. */
export async function* unpack(
  readers: Pool,
  file: string,
  codec: Codec | 'detect',
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (signal.aborted) throw bottleError('cancelled')
  const ready: Uint8Array[] = []
  let wake: (() => void) | null = null
  let isOver = false
  let failed: unknown
  const call = readers.pick().call(
    'unpack',
    { file, codec },
    {
      signal,
      onChunk(bytes) {
        ready.push(bytes)
        wake?.()
      },
    },
  )
  call.result
    .catch((error: unknown) => {
      failed = error
    })
    .finally(() => {
      isOver = true
      wake?.()
    })
  try {
    for (;;) {
      const bytes = ready.shift()
      if (signal.aborted) throw bottleError('cancelled')
      if (bytes) {
        call.more()
        yield bytes
      } else if (isOver) {
        if (failed) throw failed
        return
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    if (!isOver) call.cancel()
  }
}
