import { rm } from 'node:fs/promises'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { requireSpace } from '../../artifacts/store/free-space.ts'
import { openStagedFile } from '../../artifacts/store/staged-file.ts'
import type { ArtifactStore, Staging } from '../../artifacts/store/types.ts'
import type { Portable, PortableImage } from '../../backends/portable.ts'
import type { StateRoot } from '../../state/root.ts'
import { bottleError } from '../../system/bottle-error.ts'
import {
  type Codec,
  type LayerScan,
  type ListedEntry,
  SCAN_LIMITS,
  type Workers,
} from '../../workers/types.ts'
import { type ListingCache, openListingCache } from './listing-cache.ts'
import { type IsWanted, readEntries } from './read-entries.ts'

export interface ReaderTools {
  readonly root: StateRoot
  readonly store: ArtifactStore
  readonly workers: Workers
  /** Of the whole operation: layers that only pass through lie here until it is released. */
  readonly staging: Staging
  /** Bytes that must stay free on the disk. */
  readonly floorBytes: number
  /** Told of bytes as they come from an engine. */
  readonly onBytes: (bytes: number) => void
}

/** An image whose layers are wanted, with the engine that has them. */
export interface LayerSource {
  readonly snapshot: Snapshot
  readonly portable: Portable
  readonly image: PortableImage & { readonly diffIds: readonly string[] }
}

/** A layer's bytes on this machine. */
export interface LayerContent {
  readonly file: string
  readonly codec: Codec | 'detect'
}

/** Reads layers of snapshots for one operation: from cached listings, from the store, and from engines last. */
export interface LayerReader {
  /** Makes sure that these layers' listings are there; each layer is read once at most. */
  prepare(source: LayerSource, diffIds: readonly string[], signal: AbortSignal): Promise<void>
  /** The entries of a prepared layer: all, or those that are wanted. */
  entries(diffId: string, isWanted: IsWanted | null, signal: AbortSignal): Promise<readonly ListedEntry[]>
  /** The layer itself, from wherever it is had soonest. */
  content(source: LayerSource, diffId: string, signal: AbortSignal): Promise<LayerContent>
  readonly cache: ListingCache
}

export function createLayerReader(tools: ReaderTools): LayerReader {
  const { store, workers, staging } = tools
  const cache = openListingCache(tools.root)
  const staged = new Map<string, string>()
  let count = 0

  /** Lists a file; the listing is kept when the layer turns out to be one of those wanted. */
  async function scan(
    file: string,
    codec: Codec | 'detect',
    wanted: ReadonlySet<string>,
    signal: AbortSignal,
  ) {
    let found: LayerScan | undefined
    await cache.make(async (listing) => {
      found = await workers.scan(file, { codec, limits: SCAN_LIMITS, listing, kind: 'layer' }, signal)
      return { diffId: found.diffId, isKept: found.problem === null && wanted.has(found.diffId) }
    })
    if (!found) throw bottleError('internal', 'A layer was not listed.')
    return found
  }

  async function fromStore(diffId: string, signal: AbortSignal): Promise<boolean> {
    const layer = await store.findAnyLayer(diffId)
    if (!layer) return false
    const file = store.blobPath(layer.digest)
    const found = await scan(file, layer.codec, new Set([diffId]), signal)
    // A blob that was spoilt on the disk is as good as none: the engine has the layer too.
    return found.problem === null && found.diffId === diffId
  }

  async function fromEngine(
    source: LayerSource,
    wanted: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<void> {
    // Single layers tell no size before they come; the staged file stops in time by itself.
    const isAll = source.image.diffIds.every((diffId) => wanted.has(diffId))
    await requireSpace([{ folder: staging.dir, bytes: isAll ? source.image.bytes : 0 }], tools.floorBytes)
    // It is there when the first layer is.
    workers.warm()
    const problems: string[] = []
    const seen = new Set<string>()
    await source.portable.readLayers(
      source.snapshot,
      wanted,
      async ({ content }) => {
        const file = await openStagedFile(staging, `listed-${++count}`)
        try {
          for await (const chunk of content) {
            signal.throwIfAborted()
            await file.write(chunk)
            tools.onBytes(chunk.length)
          }
        } finally {
          await file.close()
        }
        const found = await scan(file.path, 'none', wanted, signal)
        if (!wanted.has(found.diffId)) await rm(file.path, { force: true })
        else {
          if (found.problem !== null) problems.push(found.problem)
          seen.add(found.diffId)
          staged.set(found.diffId, file.path)
        }
        return found.diffId
      },
      signal,
    )
    const name = `${source.snapshot.slug}@${source.snapshot.id}`
    const { slug } = source.snapshot
    if (problems.length > 0) {
      throw bottleError('artifact-invalid', `A layer of ${name} can't be read: ${problems[0]}`, { slug })
    }
    if ([...wanted].some((diffId) => !seen.has(diffId))) {
      throw bottleError('engine-failed', `The engine did not give all layers of ${name}.`, { slug })
    }
  }

  return {
    cache,
    async prepare(source, diffIds, signal) {
      const missing = new Set<string>()
      for (const diffId of new Set(diffIds)) {
        if ((await cache.find(diffId)) === null && !(await fromStore(diffId, signal))) missing.add(diffId)
      }
      if (missing.size > 0) await fromEngine(source, missing, signal)
    },
    async entries(diffId, isWanted, signal) {
      const file = await cache.find(diffId)
      if (file === null) throw bottleError('internal', `The layer ${diffId} was not listed.`)
      try {
        return await readEntries(file, isWanted, signal)
      } catch (thrown) {
        // It is only a cache: the next try makes a new one.
        if (!signal.aborted) await rm(file, { force: true })
        throw thrown
      }
    },
    async content(source, diffId, signal) {
      const file = staged.get(diffId)
      if (file) return { file, codec: 'none' }
      const blob = await store.findAnyLayer(diffId)
      if (blob) return { file: store.blobPath(blob.digest), codec: blob.codec }
      await fromEngine(source, new Set([diffId]), signal)
      const fresh = staged.get(diffId)
      if (!fresh) throw bottleError('internal', `The layer ${diffId} was not read.`)
      return { file: fresh, codec: 'none' }
    },
  }
}
