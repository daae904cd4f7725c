import { type Descriptor, MEDIA } from '../oci.ts'
import type { StagedFile } from './blob-writer.ts'
import { type BlobPlaces, findBlob, parseJson, readJsonBlob, stageBytes } from './blobs.ts'
import { chooseImage } from './choose-image.ts'
import { invalid, shortDigest, shown } from './invalid.ts'
import { toOciManifest } from './oci-manifest.ts'
import { DockerListSchema, IndexSchema, LayoutSchema, ManifestSchema } from './schemas.ts'
import type { ArchiveContent } from './stage-archive.ts'
import type { StagedImage } from './types.ts'

/**
 * Finds the one image that an archive holds, in whatever form, as a staged OCI image.
 * @throws BottleError `artifact-invalid`
 */
export async function resolveArchive(
  content: ArchiveContent,
  places: BlobPlaces,
  fallbackName: string,
): Promise<StagedImage> {
  const { documents } = content
  const index = documents.get('index.json')
  if (index) return resolveLayout(content, index, places, fallbackName)
  const list = documents.get('manifest.json')
  if (list) return resolveDockerSave(content, list, places, fallbackName)
  if (documents.has('oci-layout')) throw invalid('its index.json is missing.')
  throw invalid('it is no image archive: neither index.json nor manifest.json is in it.')
}

async function resolveLayout(
  content: ArchiveContent,
  bytes: Buffer,
  places: BlobPlaces,
  fallbackName: string,
): Promise<StagedImage> {
  const layout = content.documents.get('oci-layout')
  if (!layout) throw invalid('its file oci-layout is missing.')
  parseJson(layout, LayoutSchema, 'oci-layout')
  const index = parseJson(bytes, IndexSchema, 'index.json')
  const chosen = await chooseImage(places, index.manifests)
  const packed = packedBlobs(content)
  const saved = toDescriptor(chosen.descriptor)
  const image = await rewritten(places, saved, packed, 'image manifest', null)
  const parts = chosen.parts === null ? null : await partsOf(places, chosen.parts, packed, saved, image)
  const name = nameFrom(chosen.name) ?? fallbackName
  return { staging: places.staging, image, parts, thin: chosen.thin, name }
}

/** Plain tars are packed when they come in: digest in the archive → what the blob is now. */
function packedBlobs(content: ArchiveContent): ReadonlyMap<string, StagedFile['blob']> {
  const changed = [...content.files.values()].filter((file) => file.blob.digest !== file.digest)
  return new Map(changed.map((file) => [file.digest, file.blob]))
}

async function partsOf(
  places: BlobPlaces,
  digest: string,
  packed: ReadonlyMap<string, StagedFile['blob']>,
  saved: Descriptor,
  image: Descriptor,
): Promise<Descriptor> {
  const place = await findBlob(places, digest)
  if (!place) throw invalid(`the blob of its parts manifest ${shown(digest)} is missing.`)
  const descriptor = { mediaType: MEDIA.manifest, digest, size: place.bytes }
  return rewritten(places, descriptor, packed, 'parts manifest', { saved, image })
}

/** The manifest as it is, unless blobs or the image that it names were packed: then one that names what is here. */
async function rewritten(
  places: BlobPlaces,
  descriptor: Descriptor,
  packed: ReadonlyMap<string, StagedFile['blob']>,
  what: string,
  subject: { readonly saved: Descriptor; readonly image: Descriptor } | null,
): Promise<Descriptor> {
  const { value } = await readJsonBlob(places, descriptor, ManifestSchema, what)
  if (subject && value.subject && value.subject.digest !== subject.saved.digest) {
    throw invalid('its parts manifest belongs to another image.')
  }
  const isSame = !value.layers.some((layer) => packed.has(layer.digest))
  if (isSame && subject?.saved.digest === subject?.image.digest) return descriptor
  const bytes = Buffer.from(JSON.stringify(toOciManifest(value, packed, subject?.image ?? null)))
  return { mediaType: MEDIA.manifest, digest: await stageBytes(places.staging, bytes), size: bytes.length }
}

function toDescriptor(parsed: { mediaType: string; digest: string; size: number }): Descriptor {
  return { mediaType: parsed.mediaType, digest: parsed.digest, size: parsed.size }
}

/** What `docker save` before 25 and `podman save` write: a list of images, each a config and its layers by file name. */
async function resolveDockerSave(
  content: ArchiveContent,
  bytes: Buffer,
  places: BlobPlaces,
  fallbackName: string,
): Promise<StagedImage> {
  const list = parseJson(bytes, DockerListSchema, 'manifest.json')
  const [saved, ...others] = list
  if (!saved) throw invalid('it holds no image.')
  if (others.length > 0) {
    const names = list.map((each) => shown(each.RepoTags?.[0] ?? each.Config)).join(', ')
    throw invalid(`it holds several images: ${names}. Export the wanted one alone.`)
  }
  const config = fileOf(content, saved.Config, 'config')
  const layers = saved.Layers.map((layer) => {
    const { blob } = fileOf(content, layer, 'layer')
    return { mediaType: MEDIA.layer[blob.codec ?? 'none'], digest: blob.digest, size: blob.size }
  })
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: MEDIA.config, digest: config.blob.digest, size: config.blob.size },
    layers,
  }
  const text = Buffer.from(JSON.stringify(manifest))
  const digest = await stageBytes(places.staging, text)
  requireConfigName(saved.Config, config.digest)
  return {
    staging: places.staging,
    image: { mediaType: MEDIA.manifest, digest, size: text.length },
    parts: null,
    thin: 0,
    name: nameFrom(saved.RepoTags?.[0] ?? null) ?? fallbackName,
  }
}

/** Docker names a config by its digest, which is the image's id: another content under it is no accident. */
function requireConfigName(name: string, digest: string): void {
  const hex = /^([0-9a-f]{64})\.json$/.exec(name)?.[1]
  if (hex === undefined || digest === `sha256:${hex}`) return
  throw invalid(`its config ${shown(name)} has another digest than its name: ${shortDigest(digest)}.`)
}

function fileOf(content: ArchiveContent, name: string, what: string): StagedFile {
  const plain = name.replace(/^(\.\/)+/, '')
  const file = content.files.get(content.links.get(plain) ?? plain)
  if (!file) throw invalid(`its ${what} ${shown(name)} is missing.`)
  return file
}

/** The last part of an image's name without its tag, as a bottle might be called. Pure. */
export function nameFrom(reference: string | null): string | null {
  if (reference === null) return null
  const last = reference.split('/').at(-1) ?? ''
  const plain = last.replace(/[:@].*$/, '')
  return /[a-z0-9]/i.test(plain) && plain !== 'latest' ? plain : null
}
