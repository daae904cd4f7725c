import { type Descriptor, type ImageManifest, MEDIA } from '../oci.ts'
import type { StagedFile } from './blob-writer.ts'
import { layerCodec } from './media.ts'
import type { ParsedDescriptor, ParsedManifest } from './schemas.ts'

/**
 * The same manifest in OCI's media types, naming the blobs as they are kept now. Keys that mean nothing here are
 * left out. Pure.
 */
export function toOciManifest(
  manifest: ParsedManifest,
  packed: ReadonlyMap<string, StagedFile['blob']>,
  subject: Descriptor | null,
): ImageManifest {
  const isImage = !manifest.artifactType
  return {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    ...(manifest.artifactType ? { artifactType: manifest.artifactType } : {}),
    config: plainDescriptor(manifest.config, isImage ? MEDIA.config : manifest.config.mediaType),
    layers: manifest.layers.map((layer) => {
      const blob = packed.get(layer.digest)
      const codec = layerCodec(layer.mediaType)
      const type = codec ? MEDIA.layer[codec] : layer.mediaType
      if (!blob) return plainDescriptor(layer, type)
      const media = isImage ? MEDIA.layer : MEDIA.volume
      return { ...plainDescriptor(layer, media[blob.codec ?? 'none']), digest: blob.digest, size: blob.size }
    }),
    ...(subject ? { subject } : {}),
    ...(manifest.annotations ? { annotations: manifest.annotations } : {}),
  }
}

function plainDescriptor(parsed: ParsedDescriptor, mediaType: string): Descriptor {
  const { digest, size, annotations } = parsed
  return { mediaType, digest, size, ...(annotations ? { annotations } : {}) }
}
