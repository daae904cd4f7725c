import type { RunConfig } from '../../backends/portable.ts'
import { type Descriptor, type ImageConfig, type ImageManifest, MEDIA, VOLUME_ANNOTATION } from '../oci.ts'
import type { StoredSnapshot } from '../store/types.ts'

/** Labels by which one machine's Icebox knows its own images; on another machine they would lie. */
const OWN_LABEL = /^dev\.icebox\./

function cleanConfig(config: RunConfig): RunConfig {
  const { Labels, ...rest } = config
  const kept = Object.entries(Labels ?? {}).filter(([name]) => !OWN_LABEL.test(name))
  return kept.length > 0 ? { ...rest, Labels: Object.fromEntries(kept) } : rest
}

/** The OCI config of a snapshot's image. History has one plain entry per layer and tells no command. Pure. */
export function buildConfig(stored: StoredSnapshot): ImageConfig {
  const { createdAt: created, layers, platform } = stored
  return {
    created,
    ...platform,
    config: cleanConfig(stored.config),
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map(() => ({ created, created_by: 'icebox' })),
  }
}

/** The image's manifest; its annotations say in short what the facts say in full. Pure. */
export function buildManifest(stored: StoredSnapshot, config: Descriptor): ImageManifest {
  const { bottle, snapshot, scrub } = stored.facts
  return {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config,
    layers: stored.layers.map(({ codec, digest, size }) => ({
      mediaType: MEDIA.layer[codec],
      digest,
      size,
    })),
    annotations: {
      'org.opencontainers.image.created': stored.createdAt,
      'dev.icebox.slug': bottle.slug,
      'dev.icebox.snapshot': snapshot.id,
      ...(snapshot.parent === null ? {} : { 'dev.icebox.parent': snapshot.parent }),
      'dev.icebox.backend': snapshot.backend,
      'dev.icebox.fidelity': snapshot.fidelity,
      ...(bottle.agent ? { 'dev.icebox.agent': bottle.agent } : {}),
      ...(bottle.provider ? { 'dev.icebox.provider': bottle.provider } : {}),
      ...(scrub ? { 'dev.icebox.scrub': `${scrub.choice}, ${scrub.findings.length} found` } : {}),
    },
  }
}

/** The manifest of what an image can't carry: facts and volumes, beside the image it belongs to. Pure. */
export function buildParts(
  stored: StoredSnapshot,
  image: Descriptor,
  facts: Descriptor,
  empty: Descriptor,
): ImageManifest {
  const volumes = stored.volumes.map(({ codec, digest, size, destination }) => ({
    mediaType: MEDIA.volume[codec],
    digest,
    size,
    annotations: { [VOLUME_ANNOTATION.destination]: destination },
  }))
  return {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    artifactType: MEDIA.parts,
    config: facts,
    layers: volumes.length > 0 ? volumes : [empty],
    subject: { mediaType: MEDIA.manifest, digest: image.digest, size: image.size },
  }
}
