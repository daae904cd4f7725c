/** Where a file holds something other than zeros. */
export interface Piece {
  readonly offset: number
  readonly length: number
}

/** As much of an open file as is needed here. */
export interface ReadableFile {
  read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>
}

const READ = 1 << 20
const GRAIN = 4096
/** Readers written in Go refuse a map of more than 1 MB, and this many pieces stay well below it. */
const MAX_PIECES = 16_384
const FIRST_HOLE = 1 << 16

/**
 * Finds a file's pieces by its content, so that the same content gives the same map on every file system. Holes too
 * small to be worth an entry are part of a piece.
 */
export async function findPieces(
  handle: ReadableFile,
  size: number,
  signal: AbortSignal,
): Promise<readonly Piece[]> {
  const buffer = Buffer.alloc(READ)
  const zeros = Buffer.alloc(READ)
  let smallest = FIRST_HOLE
  let pieces: Piece[] = []
  for (let at = 0; at < size; ) {
    signal.throwIfAborted()
    const { bytesRead } = await handle.read(buffer, 0, Math.min(READ, size - at), at)
    if (bytesRead === 0) break
    if (buffer.compare(zeros, 0, bytesRead, 0, bytesRead) !== 0) {
      for (let from = 0; from < bytesRead; from += GRAIN) {
        const end = Math.min(from + GRAIN, bytesRead)
        if (buffer.compare(zeros, from, end, from, end) === 0) continue
        add(pieces, { offset: at + from, length: end - from }, smallest)
      }
    }
    while (pieces.length > MAX_PIECES) {
      smallest *= 2
      const merged: Piece[] = []
      for (const piece of pieces) add(merged, piece, smallest)
      pieces = merged
    }
    at += bytesRead
  }
  return pieces
}

function add(pieces: Piece[], piece: Piece, smallest: number): void {
  const last = pieces.at(-1)
  if (last && piece.offset - (last.offset + last.length) < smallest) {
    pieces[pieces.length - 1] = { offset: last.offset, length: piece.offset + piece.length - last.offset }
  } else {
    pieces.push(piece)
  }
}

/** The map as GNU's form 1.0 has it before the data: decimal lines, the number of pieces first. Pure. */
export function mapText(pieces: readonly Piece[], size: number): Buffer {
  const last = pieces.at(-1)
  const isCovered = last !== undefined && last.offset + last.length === size
  // An empty piece at the end tells readers how long the file is, as GNU's own archives do.
  const all = isCovered ? pieces : [...pieces, { offset: size, length: 0 }]
  const lines = [all.length, ...all.flatMap(({ offset, length }) => [offset, length])]
  return Buffer.from(`${lines.join('\n')}\n`, 'latin1')
}
