import type { TarEdits } from './tar-watch.ts'

const BLOCK = 512
const FILLER = 0x78
const NEWLINE = 0x0a
const RETURN = 0x0d

/**
 * A tar without some of its entries, and with other stretches filled with `x`, line ends kept. Sizes stay, so every
 * other byte of the archive stays as it is.
 */
export async function* stripTar(
  content: AsyncIterable<Uint8Array>,
  edits: TarEdits,
): AsyncIterable<Uint8Array> {
  let position = 0
  let cut = 0
  let fill = 0
  let gap: Uint8Array[] = []
  for await (const chunk of content) {
    let at = 0
    while (at < chunk.length) {
      const next = edits.cuts[cut]
      const here = position + at
      if (!next || here < next.start) {
        const until = Math.min(chunk.length, next ? next.start - position : chunk.length)
        const piece = Buffer.from(chunk.subarray(at, until))
        while ((edits.fills[fill]?.offset ?? Number.POSITIVE_INFINITY) < here + piece.length) {
          const stretch = edits.fills[fill]
          if (!stretch) break
          fillStretch(piece, stretch.offset - here, stretch.length)
          if (stretch.offset + stretch.length > here + piece.length) break
          fill += 1
        }
        yield piece
        at = until
      } else if (here < next.header) {
        const until = Math.min(chunk.length, next.header - position)
        gap.push(Buffer.from(chunk.subarray(at, until)))
        at = until
      } else {
        if (gap.length > 0) {
          const kept = keepGlobals(Buffer.concat(gap))
          gap = []
          if (kept.length > 0) yield kept
        }
        at = Math.min(chunk.length, next.end - position)
        if (position + at === next.end) cut += 1
      }
    }
    position += chunk.length
  }
}

function fillStretch(piece: Buffer, from: number, length: number): void {
  const end = Math.min(piece.length, from + length)
  for (let at = Math.max(0, from); at < end; at++) {
    if (piece[at] !== NEWLINE && piece[at] !== RETURN) piece[at] = FILLER
  }
}

/** Of the headers before an entry's own, those that also hold for later entries. */
function keepGlobals(headers: Buffer): Buffer {
  const kept: Buffer[] = []
  for (let at = 0; at + BLOCK <= headers.length; ) {
    const size = Number.parseInt(headers.toString('latin1', at + 124, at + 135), 8) || 0
    const end = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK
    if (headers[at + 156] === 'g'.charCodeAt(0)) kept.push(headers.subarray(at, end))
    at = end
  }
  return Buffer.concat(kept)
}
