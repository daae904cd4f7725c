import { bottleError } from '../system/bottle-error.ts'
import type { Call } from './thread.ts'
import { createSweeper } from './young-garbage.ts'

/**
 * Pulls the chunks of a job that sends some: it is a few of them ahead. Leaving early cancels the job.
 * @param isReused a chunk's memory goes back to the job when the next chunk is asked for
 */
export async function* pullChunks(
  start: (onChunk: (bytes: Uint8Array) => void) => Call<unknown>,
  signal: AbortSignal,
  isReused: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (signal.aborted) throw bottleError('cancelled')
  const ready: Uint8Array[] = []
  const sweep = createSweeper()
  let wake: (() => void) | null = null
  let isOver = false
  let failed: unknown
  const call = start((bytes) => {
    ready.push(bytes)
    wake?.()
  })
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
        const { length } = bytes
        if (!isReused) call.more()
        yield bytes
        if (isReused) call.more(bytes.buffer instanceof ArrayBuffer ? bytes.buffer : undefined)
        sweep(length)
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
