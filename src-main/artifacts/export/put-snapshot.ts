import { type Descriptor, MEDIA } from '../oci.ts'
import { imageAnnotations } from '../store/image-name.ts'
import type { ArtifactStore, StoredImage, StoredSnapshot } from '../store/types.ts'
import { buildConfig, buildManifest, buildParts } from './build-image.ts'
import { stableBytes } from './stable-json.ts'

/** A snapshot's manifests with every small blob that they name. */
export interface PutSnapshot extends StoredImage {
  readonly config: Descriptor
  readonly facts: Descriptor
  /** Null when there are volumes. */
  readonly empty: Descriptor | null
}

/** Makes config, manifest, facts and parts manifest of a snapshot and puts them into the store, not yet named there. */
export async function putSnapshot(store: ArtifactStore, stored: StoredSnapshot): Promise<PutSnapshot> {
  const put = (value: unknown, mediaType: string) => store.putBytes(stableBytes(value), mediaType)
  const config = await put(buildConfig(stored), MEDIA.config)
  const manifest = await put(buildManifest(stored, config), MEDIA.manifest)
  const facts = await put(stored.facts, MEDIA.facts)
  const empty = await put({}, MEDIA.empty)
  const parts = await put(buildParts(stored, manifest, facts, empty), MEDIA.manifest)
  const { bottle, snapshot } = stored.facts
  return {
    image: { ...manifest, annotations: imageAnnotations(bottle.slug, snapshot.id, parts.digest) },
    parts,
    config,
    facts,
    empty: stored.volumes.length > 0 ? null : empty,
  }
}
