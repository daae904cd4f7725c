import type { LayerFile } from '../../backends/portable.ts'
import type { Workers } from '../../workers/types.ts'
import type { ArtifactStore, StoredLayer } from '../store/types.ts'
import { invalid, shortDigest } from './invalid.ts'
import type { ImportLimits } from './limits.ts'
import type { ReadBlob, ReadImage } from './read-staged.ts'

/** A layer whose bytes were read through, or are the store's own. */
export interface VerifiedLayer extends StoredLayer {
  readonly file: string
}

export interface VerifiedContent {
  /** Bottom first; null for one that only the engine can have. */
  readonly layers: readonly (VerifiedLayer | null)[]
  /** In the order of the facts. */
  readonly volumes: readonly VerifiedLayer[]
}

export interface VerifyDeps {
  readonly workers: Workers
  readonly store: ArtifactStore
  readonly limits: ImportLimits
}

/** Layers that are read at the same time. */
const PARALLEL = 4

interface Job {
  readonly what: string
  readonly blob: ReadBlob & { readonly place: NonNullable<ReadBlob['place']> }
  readonly kind: 'layer' | 'volume'
  /** `sha256:…` that the uncompressed tar must have. */
  readonly diffId: string
  readonly contentBytes: number | null
}

/**
 * Reads every layer and volume through once: digests, sizes and every entry. What the store holds already was read
 * when it came in. `taken` hears of each as it is done.
 * @throws BottleError `artifact-invalid` naming the layer and its entry, `cancelled`
 */
export async function verifyContent(
  image: ReadImage,
  deps: VerifyDeps,
  signal: AbortSignal,
  taken: (bytes: number) => void,
): Promise<VerifiedContent> {
  const layerJobs = image.layers.map((layer, at): Job | null =>
    layer.place
      ? {
          what: `layer ${at + 1} of ${image.layers.length}`,
          blob: { ...layer, place: layer.place },
          kind: 'layer',
          diffId: layer.diffId,
          contentBytes: null,
        }
      : null,
  )
  const volumeJobs = image.volumes.map(
    (volume): Job => ({
      what: `volume ${volume.fact.destination}`,
      blob: volume,
      kind: 'volume',
      diffId: `sha256:${volume.fact.sha256}`,
      contentBytes: volume.fact.bytes,
    }),
  )
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  let unpacked = 0
  let failed: unknown
  const run = async (job: Job | null): Promise<VerifiedLayer | null> => {
    if (!job) return null
    const verified = await verifyOne(job, deps, either).catch((thrown: unknown) => {
      failed ??= thrown
      stop.abort()
      throw thrown
    })
    taken(verified.size)
    unpacked += verified.contentBytes
    if (unpacked <= deps.limits.bytes) return verified
    failed ??= invalid('its layers unfold to more bytes than are allowed.')
    stop.abort()
    throw failed
  }
  try {
    const found = await inParallel([...layerJobs, ...volumeJobs], run)
    const layers = found.slice(0, layerJobs.length)
    const volumes = found.slice(layerJobs.length).filter((volume) => volume !== null)
    return { layers, volumes }
  } catch (thrown) {
    // The first failure ends what the others still read; what those say then is not the reason.
    throw failed ?? thrown
  }
}

async function verifyOne(job: Job, deps: VerifyDeps, signal: AbortSignal): Promise<VerifiedLayer> {
  const { blob, what, diffId, kind } = job
  const { descriptor, codec, place } = blob
  const title = `${what} (${shortDigest(descriptor.digest)})`
  // An uncompressed blob needs no note, so none tells that somebody has read it: a pull's are there unread.
  const isNoted = kind === 'layer' && codec !== 'none'
  const known = isNoted ? await deps.store.findLayer(diffId, codec) : null
  if (known?.digest === descriptor.digest) return { ...known, file: place.file }
  const options = { codec, limits: deps.limits.scan, listing: null, kind } as const
  const scan = await deps.workers.scan(place.file, options, signal)
  if (scan.problem !== null) throw invalid(`its ${title}: ${scan.problem}`)
  if (scan.digest !== descriptor.digest || scan.bytes !== descriptor.size) {
    throw invalid(`its ${title} has another digest than is said of it: ${scan.digest}.`)
  }
  if (scan.diffId !== diffId) {
    throw invalid(`its ${title} unfolds to ${shortDigest(scan.diffId)}, not to ${shortDigest(diffId)}.`)
  }
  if (job.contentBytes !== null && scan.contentBytes !== job.contentBytes) {
    throw invalid(`its ${title} unfolds to ${scan.contentBytes} bytes, not to ${job.contentBytes}.`)
  }
  const { digest, bytes: size, contentBytes } = scan
  return { diffId, contentBytes, codec, digest, size, file: place.file }
}

async function inParallel<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++
      results[at] = await run(items[at] as T)
    }
  }
  const workers = Array.from({ length: Math.min(PARALLEL, items.length) }, worker)
  const settled = await Promise.allSettled(workers)
  const failed = settled.find((each) => each.status === 'rejected')
  if (failed) throw failed.reason
  return results
}

/** What an engine may have to be given, by content. */
export function layerFiles(
  layers: readonly (VerifiedLayer | null)[],
  workers: Workers,
): ReadonlyMap<string, LayerFile> {
  const files = new Map<string, LayerFile>()
  for (const layer of layers) {
    if (!layer) continue
    const { diffId, contentBytes, codec, file } = layer
    files.set(diffId, {
      diffId,
      bytes: contentBytes,
      open: (signal) => workers.unpack(file, codec, signal),
    })
  }
  return files
}
