import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { bottleError } from '../system/bottle-error.ts'
import type { ListedEntry } from './types.ts'

const BATCH_CHARS = 1 << 18

/** One line of a listing, without its newline: a JSON array whose characters are all below U+0100. Pure. */
export function encodeEntry(entry: ListedEntry): string {
  return JSON.stringify([
    entry.path,
    entry.kind,
    entry.mode,
    entry.uid,
    entry.gid,
    entry.size,
    entry.mtime,
    entry.link,
    entry.hash,
    entry.extra,
  ])
}

type Row = [string, ListedEntry['kind'], number, number, number, number, string, string, string, string]

/** The reverse of encodeEntry. @throws BottleError `corrupt-state` */
export function decodeEntry(line: string): ListedEntry {
  let row: Row
  try {
    row = JSON.parse(line) as Row
    if (!Array.isArray(row) || row.length !== 10) throw new Error(`a row of ${row.length} columns`)
  } catch (cause) {
    throw bottleError(
      'corrupt-state',
      'A listing of a layer is damaged; it is made again when it is deleted.',
      {
        detail: String(cause),
        cause,
      },
    )
  }
  const [path, kind, mode, uid, gid, size, mtime, link, hash, extra] = row
  return { path, kind, mode, uid, gid, size, mtime, link, hash, extra }
}

export interface ListingWriter {
  /** Takes an entry; a promise when the disk is behind and should be waited for. */
  add(entry: ListedEntry): Promise<void> | undefined
  /** Resolves when everything is handed to the system. */
  close(): Promise<void>
  /** Gives the file up; it may be left incomplete. */
  abandon(): Promise<void>
}

/** Writes a listing: entries in the order of the layer, one JSON array per line, bytes as latin1. */
export function writeListing(file: string): ListingWriter {
  const out = createWriteStream(file, { highWaterMark: 1 << 20 })
  let failed: unknown
  out.on('error', (error) => {
    failed ??= error
  })
  let lines = ''
  const flush = (): boolean => {
    const bytes = Buffer.from(lines, 'latin1')
    lines = ''
    return out.write(bytes)
  }
  return {
    add(entry) {
      if (failed) throw failed
      lines += `${encodeEntry(entry)}\n`
      if (lines.length < BATCH_CHARS || flush()) return undefined
      return once(out, 'drain').then(() => undefined)
    },
    async close() {
      if (failed) throw failed
      if (lines !== '') flush()
      out.end()
      if (!out.closed) await once(out, 'close')
      if (failed) throw failed
    },
    async abandon() {
      out.destroy()
      if (!out.closed) await once(out, 'close').catch(() => undefined)
    },
  }
}

/**
 * Reads a listing in batches of some thousand entries, in the order of the layer.
 * @throws BottleError `corrupt-state` for a damaged one, `cancelled`
 */
export async function* readListing(
  file: string,
  signal?: AbortSignal,
): AsyncGenerator<readonly ListedEntry[], void, undefined> {
  const input = createReadStream(file, { highWaterMark: 1 << 19, encoding: 'latin1' })
  let rest = ''
  for await (const text of input as AsyncIterable<string>) {
    if (signal?.aborted) throw bottleError('cancelled')
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    if (lines.length > 0) yield lines.map(decodeEntry)
  }
  if (rest !== '') {
    throw bottleError(
      'corrupt-state',
      'A listing of a layer ends in the middle of a line; delete it and try again.',
    )
  }
}
