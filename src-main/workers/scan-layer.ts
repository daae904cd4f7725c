import { createHash, type Hash, hash as hashOnce } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { bottleError, isBottleError } from '../system/bottle-error.ts'
import { decompress, detectCodec } from './decompress.ts'
import { createLayerRules, type PlacedEntry } from './layer-rules.ts'
import { type ListingWriter, writeListing } from './listing.ts'
import { openHashed } from './read-file.ts'
import { createTarDecoder } from './tar/decoder.ts'
import type { TarEntry } from './tar/entry.ts'
import type { LayerScan, ListedEntry, ScanOptions } from './types.ts'

/** Holes are hashed as the zeros they stand for, up to so many bytes of one file. */
const MAX_HASHED_HOLES = 1024 ** 3
const ZEROS = Buffer.alloc(1 << 20)

/** Ends the reading of a layer's content; the file itself is still hashed. */
class Refused extends Error {}

/**
 * Reads a layer or volume through once; see `Workers.scan`. Runs on a worker thread: it hashes as it goes.
 * A listing is only left behind for a layer without a problem.
 */
export async function scanLayer(file: string, options: ScanOptions, signal: AbortSignal): Promise<LayerScan> {
  const input = await openHashed(file, signal)
  let listing: ListingWriter | null = null
  try {
    listing = options.listing === null ? null : writeListing(options.listing)
    const read = await readContent(input.rest(), input.size, options, listing, signal)
    const whole = await input.finish()
    if (read.problem === null) await listing?.close()
    else await discard(listing, options)
    return { ...read, diffId: read.diffId ?? whole.digest, ...whole }
  } catch (error) {
    await discard(listing, options)
    throw error
  } finally {
    await input.close()
  }
}

/** `diffId` is null for a file that is its own content. */
type ContentScan = Omit<LayerScan, 'digest' | 'bytes' | 'diffId'> & { readonly diffId: string | null }

async function readContent(
  source: AsyncGenerator<Buffer, void, undefined>,
  fileBytes: number,
  options: ScanOptions,
  listing: ListingWriter | null,
  signal: AbortSignal,
): Promise<ContentScan> {
  const { limits } = options
  const rules = createLayerRules(options.kind, limits)
  const walk = createWalk(rules.place, limits.bytes, listing)
  let contentHash: Hash | null = null
  let contentBytes = 0
  let problem: string | null = null
  let isRead = false
  try {
    const first = await source.next()
    const head = first.done ? Buffer.alloc(0) : first.value
    const codec = options.codec === 'detect' ? detectCodec(head) : options.codec
    // What is not packed was hashed as a file already.
    if (codec !== 'none') contentHash = createHash('sha256')
    const decoder = createTarDecoder({ endOptional: options.kind === 'layer' })
    for await (const chunk of decompress(joined(head, source), codec)) {
      if (signal.aborted) throw bottleError('cancelled')
      contentBytes += chunk.length
      const unpacked = Math.max(contentBytes, walk.contentBytes())
      if (unpacked > limits.bytes) throw new Refused(`It unpacks to more than ${limits.bytes} bytes.`)
      if (unpacked > limits.ratioFrom && unpacked > fileBytes * limits.ratio) {
        throw new Refused(`It unpacks to more than ${limits.ratio} times its size (setting importMaxRatio).`)
      }
      contentHash?.update(chunk)
      if (problem !== null) continue
      try {
        decoder.feed(chunk)
        for (let event = decoder.next(); event; event = decoder.next()) {
          const waiting = walk.take(event, decoder.skip)
          if (waiting) await waiting
        }
      } catch (error) {
        // What comes after a bad entry is only hashed.
        problem = problemOf(error)
      }
    }
    isRead = true
    if (problem === null) {
      decoder.finish()
      if (walk.contentBytes() > Math.max(limits.ratioFrom, fileBytes * limits.ratio)) {
        problem = `It unpacks to more than ${limits.ratio} times its size (setting importMaxRatio).`
      }
    }
  } catch (error) {
    problem ??= problemOf(error)
  }
  return {
    diffId: !isRead ? '' : contentHash ? `sha256:${contentHash.digest('hex')}` : null,
    contentBytes,
    entries: rules.entries,
    problem,
    twins: rules.twins,
    twinExample: rules.twinExample,
  }
}

async function* joined(head: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head
  yield* rest
}

/** The sentence for what is wrong with the bytes; anything else is thrown on. */
function problemOf(error: unknown): string {
  if (error instanceof Refused) return error.message
  if (isBottleError(error) && error.code === 'artifact-invalid') return error.message
  throw error
}

async function discard(listing: ListingWriter | null, options: ScanOptions): Promise<void> {
  if (!listing || options.listing === null) return
  await listing.abandon()
  await rm(options.listing, { force: true })
}

type Event = NonNullable<ReturnType<ReturnType<typeof createTarDecoder>['next']>>

/** Follows the entries: judges each, and lists it with its content's hash when a listing is wanted. */
function createWalk(
  place: ReturnType<typeof createLayerRules>['place'],
  maxBytes: number,
  listing: ListingWriter | null,
) {
  let entry: TarEntry | null = null
  let placed: PlacedEntry | null = null
  let fileHash: ReturnType<typeof createHash> | null = null
  let hash = ''
  let seenBytes = 0

  function list(): Promise<void> | undefined {
    if (!entry || !placed || !listing) return undefined
    if (placed.kind === 'f' && hash === '')
      hash = (fileHash ?? createHash('sha256')).digest('hex').slice(0, 16)
    return listing.add(listed(entry, placed, hash))
  }

  function start(next: TarEntry, skip: () => void): Promise<void> | undefined {
    const judged = place(next)
    if ('problem' in judged) throw new Refused(judged.problem)
    entry = next
    placed = judged
    hash = ''
    fileHash = null
    seenBytes += next.size
    if (seenBytes > maxBytes) throw new Refused(`It unpacks to more than ${maxBytes} bytes.`)
    if (listing && placed.kind === 'f') return undefined
    skip()
    return list()
  }

  return {
    /** Bytes that the files so far have once unpacked, holes included. */
    contentBytes: () => seenBytes,
    take(event: Event, skip: () => void): Promise<void> | undefined {
      if (event.kind === 'entry') return start(event.entry, skip)
      if (event.kind === 'done') return list()
      if (event.kind === 'data') {
        if (event.bytes.length === entry?.size) hash = hashOnce('sha256', event.bytes, 'hex').slice(0, 16)
        else {
          fileHash ??= createHash('sha256')
          fileHash.update(event.bytes)
        }
        return undefined
      }
      fileHash ??= createHash('sha256')
      if (event.bytes > MAX_HASHED_HOLES) fileHash.update(`hole of ${event.bytes} bytes`)
      else
        for (let left = event.bytes; left > 0; left -= ZEROS.length) fileHash.update(ZEROS.subarray(0, left))
      return undefined
    },
  }
}

function listed(entry: TarEntry, placed: PlacedEntry, hash: string): ListedEntry {
  return {
    path: placed.path,
    kind: placed.kind,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.size,
    mtime: entry.mtime,
    link: placed.link,
    hash: placed.kind === 'f' ? hash : '',
    extra: extraOf(entry),
  }
}

/** What else belongs to an entry: attributes and device numbers. */
function extraOf(entry: TarEntry): string {
  const isDevice = entry.type === 'char' || entry.type === 'block'
  if (entry.xattrs.size === 0 && !isDevice) return ''
  const parts = [...entry.xattrs].map(([key, value]) => `${key}=${value.length}:${value}`).sort()
  if (isDevice) parts.push(`${entry.major}:${entry.minor}`)
  return hashOnce('sha256', Buffer.from(parts.join('\0'), 'latin1'), 'hex').slice(0, 8)
}
