import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import { bottleError } from '../../../system/bottle-error.ts'
import type { ContainerClient } from '../client.ts'
import { hostArchitecture } from '../image-source.ts'
import { type ImageVariant, inspectImage, type StoredImage, variantFor } from '../images.ts'

/** A snapshot's image as the engine has it. */
export interface SnapshotImage {
  readonly image: StoredImage
  readonly variant: ImageVariant
}

/** The image of a snapshot, as long as it is the one that was recorded. @throws BottleError `snapshot-missing` */
export async function requireImage(
  client: ContainerClient,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<SnapshotImage> {
  const { id, slug, reference, digest } = snapshot
  const image = await inspectImage(client, reference, signal)
  const own = image && variantFor(image, { os: 'linux', architecture: hostArchitecture() })
  // A snapshot is for one platform, whatever this machine's is.
  const variant = own ?? image?.variants[0]
  if (!image || !variant) {
    throw bottleError(
      'snapshot-missing',
      `The image of snapshot ${id} (${reference}) is not in Apple's container.`,
      { slug },
    )
  }
  if (digest && image.digest !== digest && !image.variants.some((one) => one.digest === digest)) {
    throw bottleError('snapshot-missing', `${reference} is no longer the image that snapshot ${id} made.`, {
      slug,
      detail: `expected ${digest}, found ${image.digest}`,
    })
  }
  return { image, variant }
}
