import { join } from 'node:path'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import { bottleError } from '../../../system/bottle-error.ts'
import { requireSpace } from '../../../system/disk-space.ts'
import type { LayerStream } from '../../portable.ts'
import type { ContainerClient } from '../client.ts'
import { saveImage } from '../image-config.ts'
import { readSavedImage } from '../saved-image.ts'
import { withScratch } from '../scratch.ts'
import { requireImage } from './require-image.ts'

/**
 * Streams a snapshot's layers out of the engine, see `Portable.readLayers`: one platform is saved to a file, since
 * what older releases write to a pipe is no clean archive, and each wanted layer is read from there.
 * @throws BottleError, and what `take` throws
 */
export async function readSnapshotLayers(
  client: ContainerClient,
  home: string,
  snapshot: Snapshot,
  wanted: ReadonlySet<string> | null,
  take: (layer: LayerStream) => Promise<string>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { image, variant } = await requireImage(client, snapshot, signal)
  const { diffIds, platform } = variant
  if (wanted && diffIds.length > 0 && !diffIds.some((diffId) => wanted.has(diffId))) return diffIds
  await requireSpace(home, 'Reading this snapshot', variant.bytes, 0)
  return withScratch(home, async (dir) => {
    const file = join(dir, 'image.tar')
    const name = { reference: image.reference, digest: image.digest, platform }
    await saveImage(client, name, file, signal)
    const saved = await readSavedImage(file, platform)
    const taken = new Set<string>()
    for (const [index, layer] of saved.layers.entries()) {
      const { diffId, bytes } = layer
      if (taken.has(diffId) || (wanted && !wanted.has(diffId))) continue
      signal.throwIfAborted()
      const digest = await take({ index, bytes, content: layer.open(signal) })
      if (digest !== diffId) {
        throw bottleError('engine-failed', `Apple's container gave another layer than it names.`, {
          slug: snapshot.slug,
          detail: `expected ${diffId}, got ${digest}`,
        })
      }
      taken.add(diffId)
    }
    return saved.layers.map(({ diffId }) => diffId)
  })
}
