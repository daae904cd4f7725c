import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import type { LayerSizes } from '../../portable.ts'
import type { ContainerClient } from '../client.ts'
import { fullReference, listImages } from '../images.ts'

/** What each snapshot's layers weigh. Missing images weigh nothing. @throws BottleError */
export async function sizesOfSnapshots(
  client: ContainerClient,
  snapshots: readonly Snapshot[],
  signal: AbortSignal,
): Promise<readonly LayerSizes[]> {
  const images = await listImages(client, signal)
  const byName = new Map(images.map((image) => [fullReference(image.reference), image]))
  const ours = new Set(snapshots.map((snapshot) => fullReference(snapshot.reference)))
  const elsewhere = new Set(
    images
      .filter((image) => !ours.has(fullReference(image.reference)))
      .flatMap((image) => image.variants.flatMap(({ diffIds }) => diffIds)),
  )
  return snapshots.map((snapshot) => {
    const image = byName.get(fullReference(snapshot.reference))
    const keys = image?.variants[0]?.diffIds ?? []
    const bytes = typeof snapshot.facts.layerBytes === 'number' ? snapshot.facts.layerBytes : snapshot.bytes
    return {
      snapshotId: snapshot.id,
      // The engine tells no sizes of single layers: the top one stands for all.
      layers: keys.map((key, at) => ({ key, bytes: at === keys.length - 1 ? bytes : 0 })),
      usedElsewhere: keys.filter((key) => elsewhere.has(key)),
    }
  })
}
