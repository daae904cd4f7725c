import { bottleError, toFailure } from '../../system/bottle-error.ts'
import { createTarDecoder, type TarEvent } from '../../workers/tar/decoder.ts'

/** One entry of an archive while it streams by. */
export interface ArchiveEntry {
  readonly path: string
  readonly type: string
  readonly bytes: number
  /** Readable once, and only while the entry's turn lasts. */
  readonly content: AsyncIterable<Uint8Array>
}

/**
 * Reads an archive as it comes and gives each entry its turn; what a turn leaves unread is skipped at no cost.
 * A turn may stop the reading. Nothing is held but the chunk at hand. @throws BottleError `engine-failed` for a damaged archive, and what the
 * source or a turn throws
 */
export async function readArchive(
  engine: string,
  source: AsyncIterable<Uint8Array>,
  turn: (entry: ArchiveEntry, stop: () => void) => Promise<void>,
): Promise<void> {
  const decoder = createTarDecoder()
  const chunks = source[Symbol.asyncIterator]()
  const nextEvent = async (): Promise<TarEvent | null> => {
    for (;;) {
      const event = decode(engine, () => decoder.next())
      if (event) return event
      const { done, value } = await chunks.next()
      if (done) {
        decode(engine, () => decoder.finish())
        return null
      }
      decoder.feed(value)
    }
  }
  try {
    for (let event = await nextEvent(); event; event = await nextEvent()) {
      if (event.kind !== 'entry') continue
      const { path, type, size } = event.entry
      let isOver = false
      const content = async function* () {
        for (;;) {
          const piece = isOver ? null : await nextEvent()
          if (!piece || piece.kind === 'entry') throw bottleError('internal', undefined, { detail: path })
          if (piece.kind === 'data') yield piece.bytes
          else if (piece.kind === 'hole') yield* zeros(piece.bytes)
          else {
            isOver = true
            return
          }
        }
      }
      let isStopped = false
      await turn({ path, type, bytes: size, content: content() }, () => {
        isStopped = true
      })
      if (isStopped) return
      if (!isOver) decoder.skip()
      isOver = true
    }
  } finally {
    await chunks.return?.()
  }
}

/** The engine makes whole archives, so one that is not was cut off on its way. */
function decode<T>(engine: string, step: () => T): T {
  try {
    return step()
  } catch (thrown) {
    const { detail, message } = toFailure(thrown)
    throw bottleError('engine-failed', `${engine} broke off while it was sending an image.`, {
      detail: [message, detail].filter(Boolean).join(' '),
      cause: thrown,
    })
  }
}

function* zeros(bytes: number): Generator<Uint8Array> {
  for (let left = bytes; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, Math.min(left, ZEROS.length))
}
const ZEROS = new Uint8Array(1 << 16)
