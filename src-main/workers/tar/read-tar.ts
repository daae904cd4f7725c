import { createTarDecoder, type DecoderOptions } from './decoder.ts'
import type { TarEntry } from './entry.ts'

/** Takes an entry's content piece by piece; a piece is valid until the call (or its promise) is done. */
export type TarSink =
  | ((chunk: Uint8Array) => void | Promise<void>)
  | {
      write(chunk: Uint8Array): void | Promise<void>
      /** Called once the content is complete, also when it is empty. */
      end(): void | Promise<void>
    }

export type TarVisit = (entry: TarEntry) => 'skip' | TarSink | Promise<'skip' | TarSink>

const ZEROS = Buffer.alloc(1 << 16)

/**
 * Reads a tar entry by entry; holes of sparse files are handed on as zeros. Ends with the archive, or throws what the
 * content or a visitor throws.
 * @throws BottleError `artifact-invalid` with the detail of `tarError` for a broken archive
 */
export async function readTar(
  content: AsyncIterable<Uint8Array>,
  visit: TarVisit,
  options: DecoderOptions = {},
): Promise<void> {
  const decoder = createTarDecoder(options)
  let sink: TarSink = () => undefined
  const write = (chunk: Uint8Array) => (typeof sink === 'function' ? sink(chunk) : sink.write(chunk))
  const drain = async () => {
    for (let event = decoder.next(); event; event = decoder.next()) {
      if (event.kind === 'entry') {
        const wanted = visit(event.entry)
        const chosen = wanted instanceof Promise ? await wanted : wanted
        if (chosen === 'skip') decoder.skip()
        else sink = chosen
      } else if (event.kind === 'data') {
        const waiting = write(event.bytes)
        if (waiting) await waiting
      } else if (event.kind === 'hole') {
        for (let left = event.bytes; left > 0; left -= ZEROS.length) {
          const waiting = write(left < ZEROS.length ? ZEROS.subarray(0, left) : ZEROS)
          if (waiting) await waiting
        }
      } else if (typeof sink !== 'function') {
        const waiting = sink.end()
        if (waiting) await waiting
      }
    }
  }
  for await (const chunk of content) {
    decoder.feed(chunk)
    await drain()
  }
  decoder.finish()
}
