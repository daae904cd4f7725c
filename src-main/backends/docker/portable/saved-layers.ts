import { type ArchiveEntry, readArchive } from '../../images/archive-entries.ts'
import { inflate } from '../../images/inflate.ts'
import type { LayerStream } from '../../portable.ts'
import type { Engine } from '../engine.ts'
import { savedBlobs } from './saved-blobs.ts'
import { savedNames } from './saved-names.ts'
import { download, textOf } from './transport.ts'

export type TakeLayer = (layer: LayerStream) => Promise<string>

/** JSON larger than this is none that an engine writes. */
const MAX_JSON = 4 << 20
/** Layers whose content is read but whose taking has not ended (flushing, naming). */
const MAX_UNSETTLED = 3

/**
 * Streams layers out of the engine's save archive, in the old form (before Docker 25) and as an OCI layout. Only the
 * wanted ones are offered, unless the archive tells too late which one it is at. @returns the digests that were taken
 * @throws BottleError, and what `take` throws
 */
export async function readSavedLayers(
  engine: Engine,
  imageId: string,
  diffIds: readonly string[],
  wanted: ReadonlySet<string>,
  take: TakeLayer,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const archive = download(engine, 'save the image', `/images/${imageId}/get`, signal)
  return takeSaved(archive, diffIds, wanted, take)
}

/** As `readSavedLayers`, from the archive itself. */
export async function takeSaved(
  archive: AsyncIterable<Uint8Array>,
  diffIds: readonly string[],
  wanted: ReadonlySet<string>,
  take: TakeLayer,
): Promise<ReadonlySet<string>> {
  const names = savedNames(diffIds)
  const blobs = savedBlobs(diffIds)
  const taken = new Set<string>()
  const unsettled = new Set<Promise<void>>()
  let failed: { readonly thrown: unknown } | null = null
  const isDone = (index: number | null) => {
    const diffId = index === null ? undefined : diffIds[index]
    return diffId !== undefined && (!wanted.has(diffId) || taken.has(diffId))
  }
  const offer = async (index: number | null, entry: Offered) => {
    if (isDone(index)) return
    let readToEnd = () => {}
    const isRead = new Promise<void>((resolve) => {
      readToEnd = resolve
    })
    const content = (async function* () {
      yield* entry.content
      // One that is left early, or fails, is over when its taker is.
      readToEnd()
    })()
    const taking: Promise<void> = take({ index: index ?? -1, bytes: entry.bytes, content }).then((digest) => {
      taken.add(digest)
      unsettled.delete(taking)
    })
    taking.catch((thrown: unknown) => {
      failed ??= { thrown }
    })
    unsettled.add(taking)
    // The next layer may come while this one's file is being flushed.
    await Promise.race([isRead, taking])
    if (unsettled.size > MAX_UNSETTLED) await Promise.race(unsettled)
  }
  try {
    await readArchive('Docker', archive, async (entry, stop) => {
      if (failed) throw failed.thrown
      // What follows is of no use.
      if ([...wanted].every((diffId) => taken.has(diffId))) return stop()
      if (entry.type !== 'file') return
      const [, folder, file] = /^([0-9a-f]{64})\/(json|layer\.tar)$/.exec(entry.path) ?? []
      const [, hex] = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(entry.path) ?? []
      if (folder && file === 'json' && entry.bytes <= MAX_JSON)
        names.learn(folder, await textOf(entry.content))
      else if (folder && file === 'layer.tar') await offer(names.indexOf(folder), entry)
      else if (hex) await onBlob(`sha256:${hex}`, entry)
    })
    await Promise.all(unsettled)
  } finally {
    await Promise.allSettled(unsettled)
  }
  return taken

  async function onBlob(digest: string, entry: ArchiveEntry): Promise<void> {
    const index = blobs.indexOf(digest)
    if (isDone(index)) return
    if (index !== null && diffIds[index] === digest) return offer(index, entry)
    const { head, content } = await peek(entry.content)
    if (head.startsWith('7b')) {
      if (entry.bytes <= MAX_JSON) blobs.learn(digest, await textOf(content))
      return
    }
    const codec = head.startsWith('1f8b') ? 'gzip' : head.startsWith('28b52ffd') ? 'zstd' : null
    if (codec) await offer(index, { bytes: null, content: inflate(content, codec) })
  }
}

interface Offered {
  readonly bytes: number | null
  readonly content: AsyncIterable<Uint8Array>
}

/** The first four bytes as hex, and the whole content still. */
async function peek(
  content: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: string; readonly content: AsyncIterable<Uint8Array> }> {
  const rest = content[Symbol.asyncIterator]()
  let start = Buffer.alloc(0)
  while (start.length < 4) {
    const { done, value } = await rest.next()
    if (done) break
    start = Buffer.concat([start, value])
  }
  return {
    head: start.subarray(0, 4).toString('hex'),
    content: (async function* () {
      if (start.length > 0) yield start
      yield* { [Symbol.asyncIterator]: () => rest }
    })(),
  }
}
