import { createReadStream } from 'node:fs'
import { bottleError } from '../../system/bottle-error.ts'
import { decodeEntry } from '../../workers/listing.ts'
import type { ListedEntry } from '../../workers/types.ts'

/** Asked with the path and the kind of an entry. */
export type IsWanted = (path: string, kind: string) => boolean

/**
 * The entries of a listing in their order, or only those that are wanted: lines of others are not taken apart,
 * which is most of the work.
 * @throws BottleError `corrupt-state` for a damaged listing, `cancelled`
 */
export async function readEntries(
  file: string,
  isWanted: IsWanted | null,
  signal: AbortSignal,
): Promise<readonly ListedEntry[]> {
  const entries: ListedEntry[] = []
  const input = createReadStream(file, { highWaterMark: 1 << 20, encoding: 'latin1' })
  let rest = ''
  for await (const chunk of input as AsyncIterable<string>) {
    if (signal.aborted) throw bottleError('cancelled')
    const text = rest + chunk
    let at = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', at)) {
      if (!isWanted || asks(isWanted, text, at, end)) entries.push(decodeEntry(text.slice(at, end)))
      at = end + 1
    }
    rest = text.slice(at)
  }
  if (rest !== '') {
    throw bottleError('corrupt-state', 'A listing of a layer ends in the middle of a line; it is made again.')
  }
  return entries
}

/** Asks about the line at a place of a text: `["path","kind",…`. */
function asks(isWanted: IsWanted, text: string, at: number, end: number): boolean {
  const quote = text.indexOf('"', at + 2)
  const path = text.slice(at + 2, quote)
  if (!path.includes('\\')) return isWanted(path, text[quote + 3] ?? '')
  // An escaped character is rare enough to read the whole line for it.
  const entry = decodeEntry(text.slice(at, end))
  return isWanted(entry.path, entry.kind)
}
