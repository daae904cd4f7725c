import { availableParallelism } from 'node:os'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { Portable, PortableImage } from '../../backends/portable.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { StoredLayer } from '../store/types.ts'
import { heldLayer } from './held-layer.ts'
import { type PackTools, packLayer } from './pack-layer.ts'

/** Told of the layers from the bottom up, each as soon as all below it are in the store too. */
export type OnLayer = (layer: StoredLayer, at: number) => void

/**
 * Brings every layer of a snapshot into the store and returns them, bottom first. Only what the store lacks is read
 * from the engine.
 * @throws BottleError `engine-failed` when the engine gives other content than it told
 */
export async function collectLayers(
  tools: PackTools,
  portable: Portable,
  snapshot: Snapshot,
  image: PortableImage,
  onLayer: OnLayer,
  signal: AbortSignal,
): Promise<readonly StoredLayer[]> {
  const found = new Map<string, StoredLayer>()
  let told = 0
  const add = (layer: StoredLayer): void => {
    found.set(layer.diffId, layer)
    for (let next = at(told); next; next = at(told)) onLayer(next, told++)
  }
  const at = (index: number) => found.get(image.diffIds?.[index] ?? '')
  await eachOf([...new Set(image.diffIds ?? [])], async (diffId) => {
    const layer = await heldLayer(tools, diffId, signal)
    if (layer) add(layer)
  })
  const wanted = image.diffIds === null ? null : new Set(image.diffIds.filter((diffId) => !found.has(diffId)))
  const digests =
    wanted?.size === 0 ? image.diffIds : await readMissing(tools, portable, snapshot, wanted, add, signal)
  return inOrder(snapshot, image, digests ?? [], found)
}

/** Some at a time: looking a blob through keeps one thread busy. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}

async function readMissing(
  tools: PackTools,
  portable: Portable,
  snapshot: Snapshot,
  wanted: ReadonlySet<string> | null,
  add: (layer: StoredLayer) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const isWanted = (digest: string) => wanted?.has(digest) ?? true
  return portable.readLayers(
    snapshot,
    wanted,
    async ({ content }) => {
      const { contentDigest, layer } = await packLayer(tools, content, isWanted, signal)
      if (layer) add(layer)
      return contentDigest
    },
    signal,
  )
}

function inOrder(
  snapshot: Snapshot,
  image: PortableImage,
  digests: readonly string[],
  found: ReadonlyMap<string, StoredLayer>,
): readonly StoredLayer[] {
  const isAsTold = image.diffIds?.every((diffId, at) => digests[at] === diffId) ?? true
  const layers = digests.map((digest) => found.get(digest))
  if (!isAsTold || (image.diffIds && image.diffIds.length !== digests.length) || layers.includes(undefined)) {
    throw bottleError(
      'engine-failed',
      `The engine gave other layers of ${snapshot.slug}@${snapshot.id} than it told. Nothing was written.`,
      { slug: snapshot.slug },
    )
  }
  return layers.filter((layer) => layer !== undefined)
}
