import type { Descriptor } from '../oci.ts'
import type { Staging } from '../store/types.ts'

/**
 * An image whose blobs lie in a staging folder under `blobs/sha256/<hex>`, or are in the store already. Nothing of it
 * was verified but what the comments say.
 */
export interface StagedImage {
  readonly staging: Staging
  /** The image manifest's descriptor; its blob is there and has that digest. */
  readonly image: Descriptor
  /** The parts manifest's descriptor, null for an image that Icebox did not make. */
  readonly parts: Descriptor | null
  /** Lowest layers that the archive says it left out. */
  readonly thin: number
  /** What a bottle of it is called when nothing else tells: a file's or repository's name. */
  readonly name: string
}
