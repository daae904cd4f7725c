import type { Portable } from '../../backends/portable.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { ArtifactStore } from '../store/types.ts'
import { shortDigest } from './invalid.ts'
import type { ReadImage } from './read-staged.ts'
import type { VerifiedLayer } from './verify-content.ts'

/**
 * Finds the layers that a thin archive left out: in the store, else in the engine. Null where only the engine has one.
 * @throws BottleError `artifact-base-missing` naming those that are nowhere
 */
export async function findBaseLayers(
  image: ReadImage,
  store: ArtifactStore,
  portable: Portable,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, VerifiedLayer>> {
  const found = new Map<string, VerifiedLayer>()
  const lacking: number[] = []
  for (const [at, { place, diffId }] of image.layers.entries()) {
    if (place) continue
    const layer = await store.findAnyLayer(diffId)
    if (layer) found.set(diffId, { ...layer, file: store.blobPath(layer.digest) })
    else lacking.push(at)
  }
  if (lacking.length === 0) return found
  const diffIds = image.layers.map((layer) => layer.diffId)
  const held = await portable.heldLayers(diffIds, signal)
  const missing = lacking.filter((at) => at >= held).map((at) => shortDigest(diffIds[at] ?? ''))
  if (missing.length === 0) return found
  throw bottleError(
    'artifact-base-missing',
    `This artifact leaves out ${image.staged.thin} layers of the image it was started from, and ${missing.length} of ` +
      `them are not here: ${missing.join(', ')}. Pull or import that image first, or export the bottle whole. ` +
      'Nothing was kept.',
  )
}
