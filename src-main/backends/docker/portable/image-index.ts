import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import { bottleError } from '../../../system/bottle-error.ts'
import { sha256 } from '../../images/digest.ts'
import { type Engine, SHORT_MS } from '../engine.ts'
import { inspectImage } from '../image-source.ts'

/** What never changes of an image, as long as its id is the same. */
export interface ImageLayers {
  readonly id: string
  /** `sha256:…` of each layer's tar, bottom first. */
  readonly diffIds: readonly string[]
  readonly bytes: number
}

/** One row of `GET /images/json`. */
export interface ImageRow {
  readonly Id: string
  readonly RepoTags: readonly string[] | null
  readonly RepoDigests?: readonly string[] | null
  readonly Labels: Readonly<Record<string, string>> | null
}

const known = new WeakMap<Engine, Map<string, ImageLayers>>()
const AT_ONCE = 8

function cacheOf(engine: Engine): Map<string, ImageLayers> {
  const found = known.get(engine) ?? new Map<string, ImageLayers>()
  known.set(engine, found)
  return found
}

/** Every image of the daemon; with `isAll` also those that only stand below others. @throws BottleError */
export async function listImages(
  engine: Engine,
  isAll: boolean,
  signal: AbortSignal,
): Promise<readonly ImageRow[]> {
  const rows = await engine.get<ImageRow[] | null>(
    'list images',
    `/images/json?all=${isAll ? 1 : 0}`,
    signal,
    SHORT_MS,
  )
  return rows ?? []
}

/** The layers of these images, each looked at once per process; images that are gone by then are left out. @throws BottleError */
export async function layersOfImages(
  engine: Engine,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ImageLayers>> {
  const cache = cacheOf(engine)
  const found = new Map<string, ImageLayers>()
  await inBatches([...new Set(ids)], AT_ONCE, async (id) => {
    const layers = cache.get(id) ?? (await inspectLayers(engine, id, signal))
    if (!layers) return
    cache.set(id, layers)
    found.set(id, layers)
  })
  return found
}

async function inspectLayers(engine: Engine, id: string, signal: AbortSignal): Promise<ImageLayers | null> {
  const found = await inspectImage(engine, id, signal)
  if (!found) return null
  return { id: found.Id, diffIds: found.RootFS?.Layers ?? [], bytes: found.Size }
}

/** Runs a step for each item, a few at a time; the first failure ends it once those under way have settled. */
export async function inBatches<T>(
  items: readonly T[],
  atOnce: number,
  step: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  let failed: { readonly thrown: unknown } | null = null
  const work = async () => {
    for (const item of rest) {
      if (failed) return
      await step(item).catch((thrown: unknown) => {
        failed ??= { thrown }
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work))
  const first = failed as { readonly thrown: unknown } | null
  if (first) throw first.thrown
}

/** The inspection of a snapshot's image. @throws BottleError `snapshot-missing` when it is gone or another one now */
export async function requireImage(engine: Engine, snapshot: Snapshot, signal: AbortSignal) {
  const { id, slug, reference, digest } = snapshot
  const found = await inspectImage(engine, reference, signal)
  if (!found) {
    throw bottleError('snapshot-missing', `The image of snapshot ${id} (${reference}) is not in Docker.`, {
      slug,
    })
  }
  if (digest && found.Id !== digest) {
    throw bottleError('snapshot-missing', `${reference} is no longer the image that snapshot ${id} made.`, {
      slug,
      detail: `expected ${digest}, found ${found.Id}`,
    })
  }
  return found
}

/** Pure: chain ids, bottom first, by which the engine knows a layer on top of others. */
export function chainIds(diffIds: readonly string[]): readonly string[] {
  const chain: string[] = []
  for (const diffId of diffIds) {
    const below = chain.at(-1)
    chain.push(below === undefined ? diffId : sha256(`${below} ${diffId}`))
  }
  return chain
}
