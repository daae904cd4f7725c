/** The last bytes of what comes in pieces. */
export interface TailKeeper {
  add(chunk: Uint8Array): void
  /** What is kept, in one piece. */
  bytes(): Buffer
}

/** Pieces that are kept apart before they are put together. */
const MOST_PIECES = 4096

/** Keeps at most `most` bytes when asked for them, and little more than twice as many between. */
export function keepTail(most: number): TailKeeper {
  let kept: Uint8Array[] = []
  let size = 0
  const join = (): Buffer => {
    const all = Buffer.concat(kept)
    // Copied, so that what was cut off is not held along with it.
    const tail = all.length > most ? Buffer.from(all.subarray(all.length - most)) : all
    kept = [tail]
    size = tail.length
    return tail
  }
  return {
    add(chunk) {
      kept.push(chunk)
      size += chunk.length
      if (size > 2 * most || kept.length > MOST_PIECES) join()
    },
    bytes: join,
  }
}
