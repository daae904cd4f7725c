import type { Platform, RunConfig } from '../../backends/portable.ts'
import { SnapshotFacts } from '../facts.ts'
import { type Compression, type Descriptor, MEDIA, VOLUME_ANNOTATION } from '../oci.ts'
import type { ArtifactStore } from '../store/types.ts'
import { type BlobPlace, type BlobPlaces, findBlob, readJsonBlob } from './blobs.ts'
import { checkFacts } from './check-facts.ts'
import { invalid, shortDigest, shown } from './invalid.ts'
import type { ImportLimits } from './limits.ts'
import { isConfigType, isForeignLayer, isManifestType, layerCodec, volumeCodec } from './media.ts'
import { ConfigSchema, ManifestSchema, type ParsedDescriptor, type ParsedManifest } from './schemas.ts'
import { toPlatform, toRunConfig } from './to-run-config.ts'
import type { StagedImage } from './types.ts'

/** A layer or volume as the manifest tells of it, and where its bytes are; nothing of them was read. */
export interface ReadBlob {
  readonly descriptor: ParsedDescriptor
  readonly codec: Compression
  /** Null for one of the lowest layers that a thin archive left out. */
  readonly place: BlobPlace | null
}

export interface ReadLayer extends ReadBlob {
  readonly diffId: string
}

export interface ReadVolume extends ReadBlob {
  readonly place: BlobPlace
  readonly fact: SnapshotFacts['volumes'][number]
}

/** An image whose documents were read and fit each other. */
export interface ReadImage {
  readonly staged: StagedImage
  readonly manifest: ParsedManifest
  readonly config: RunConfig
  readonly platform: Platform
  readonly createdAt: string
  readonly layers: readonly ReadLayer[]
  /** Null for an image that Icebox did not make. */
  readonly facts: SnapshotFacts | null
  readonly volumes: readonly ReadVolume[]
}

/**
 * Reads a staged image's documents and checks them against each other; no layer is read yet.
 * @throws BottleError `artifact-invalid`
 */
export async function readStaged(
  staged: StagedImage,
  store: ArtifactStore,
  limits: ImportLimits,
): Promise<ReadImage> {
  const places: BlobPlaces = { staging: staged.staging, store }
  const { value: manifest } = await readJsonBlob(places, staged.image, ManifestSchema, 'image manifest')
  if (!isManifestType(manifest.mediaType ?? MEDIA.manifest)) {
    throw invalid(`its image manifest says it is ${shown(manifest.mediaType ?? '')}.`)
  }
  if (!isConfigType(manifest.config.mediaType)) {
    throw invalid(`its config has the media type ${shown(manifest.config.mediaType)}, so it is no image.`)
  }
  const { value: config } = await readJsonBlob(places, manifest.config, ConfigSchema, 'image config')
  const diffIds = config.rootfs.diff_ids
  if (diffIds.length !== manifest.layers.length) {
    throw invalid(
      `its config tells of ${diffIds.length} layers and its manifest of ${manifest.layers.length}.`,
    )
  }
  if (diffIds.length === 0) throw invalid('its image has no layers, so there is nothing to freeze.')
  if (config.os !== 'linux') throw invalid(`it is an image for ${shown(config.os)}, not for linux.`)
  if (staged.thin > diffIds.length) {
    throw invalid(`it says that it leaves out ${staged.thin} of ${diffIds.length} layers.`)
  }
  const layers: ReadLayer[] = []
  for (const [at, descriptor] of manifest.layers.entries()) {
    const codec = codecOf(descriptor)
    const place = await placeOf(places, descriptor, `layer ${at + 1}`, at < staged.thin)
    layers.push({ descriptor, codec, place, diffId: diffIds[at] ?? '' })
  }
  const parts = staged.parts ? await readParts(places, staged.parts, staged.image.digest) : null
  const image: ReadImage = {
    staged,
    manifest,
    config: toRunConfig(config),
    platform: toPlatform(config),
    createdAt: dateOf(config.created),
    layers,
    facts: parts ? { ...parts.facts, baseLayers: Math.min(parts.facts.baseLayers, layers.length) } : null,
    volumes: parts?.volumes ?? [],
  }
  requireBytes(image, limits)
  return image
}

function codecOf(descriptor: ParsedDescriptor): Compression {
  const { mediaType } = descriptor
  if (isForeignLayer(mediaType) || (descriptor.urls ?? []).length > 0) {
    throw invalid(`its layer ${shortDigest(descriptor.digest)} is a foreign one, to be had from elsewhere.`)
  }
  const codec = layerCodec(mediaType)
  if (codec === null) {
    throw invalid(
      `its layer ${shortDigest(descriptor.digest)} has the unknown media type ${shown(mediaType)}.`,
    )
  }
  return codec
}

async function placeOf(
  places: BlobPlaces,
  descriptor: ParsedDescriptor,
  what: string,
  mayLack: boolean,
): Promise<BlobPlace | null> {
  const name = `${what} (${shortDigest(descriptor.digest)})`
  const place = await findBlob(places, descriptor.digest)
  if (!place && !mayLack) throw invalid(`the blob of its ${name} is missing.`)
  if (place && place.bytes !== descriptor.size) {
    throw invalid(`its ${name} has ${place.bytes} bytes, not ${descriptor.size} as is said of it.`)
  }
  return place
}

async function readParts(places: BlobPlaces, descriptor: Descriptor, image: string) {
  const { value: manifest } = await readJsonBlob(places, descriptor, ManifestSchema, 'parts manifest')
  if (manifest.artifactType !== MEDIA.parts || manifest.config.mediaType !== MEDIA.facts) {
    throw invalid(`its parts manifest has the type ${shown(manifest.artifactType ?? 'of an image')}.`)
  }
  if (manifest.subject && manifest.subject.digest !== image) {
    throw invalid('its parts manifest belongs to another image.')
  }
  const { value } = await readJsonBlob(places, manifest.config, SnapshotFacts, 'facts')
  const facts = checkFacts(value, new Date())
  // OCI wants at least one layer, so a manifest without volumes names an empty one.
  const kept = manifest.layers.filter((layer) => layer.mediaType !== MEDIA.empty)
  if (facts.volumes.length !== kept.length) {
    throw invalid(`its facts tell of ${facts.volumes.length} volumes, but ${kept.length} are there.`)
  }
  const volumes: ReadVolume[] = []
  for (const [at, fact] of facts.volumes.entries()) {
    const layer = kept[at]
    const codec = layer ? volumeCodec(layer.mediaType) : null
    if (!layer || codec === null) {
      throw invalid(`its volume ${at + 1} has the media type ${shown(layer?.mediaType ?? '')}.`)
    }
    const said = layer.annotations?.[VOLUME_ANNOTATION.destination]
    if (said !== undefined && said !== fact.destination) {
      throw invalid(`its volume ${at + 1} belongs to ${shown(said)} and to ${shown(fact.destination)}.`)
    }
    const place = await placeOf(places, layer, `volume ${at + 1}`, false)
    if (place) volumes.push({ descriptor: layer, codec, place, fact })
  }
  return { facts, volumes }
}

function requireBytes(image: ReadImage, limits: ImportLimits): void {
  const claimed = image.volumes.reduce((sum, { fact }) => sum + fact.bytes, 0)
  if (claimed > limits.bytes) throw invalid(`its volumes would take ${claimed} bytes, more than is allowed.`)
}

function dateOf(text: string | null | undefined): string {
  const time = Date.parse(text ?? '')
  return new Date(Number.isFinite(time) ? time : 0).toISOString()
}
