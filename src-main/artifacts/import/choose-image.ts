import { ANNOTATION, MEDIA } from '../oci.ts'
import { type BlobPlaces, findBlob, readJsonBlob } from './blobs.ts'
import { invalid, shortDigest, shown } from './invalid.ts'
import { isIndexType, isManifestType } from './media.ts'
import { IndexSchema, type ParsedDescriptor } from './schemas.ts'

/** Indexes inside indexes; real ones have one level. */
const DEPTH_MAX = 4

interface Candidate {
  readonly descriptor: ParsedDescriptor
  /** Names that the indexes on the way to it give. */
  readonly names: readonly string[]
}

export interface ChosenImage {
  readonly descriptor: ParsedDescriptor
  readonly parts: string | null
  readonly thin: number
  readonly name: string | null
}

/** Node's name of this machine's processor → OCI's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }

export function ownArchitecture(arch: string = process.arch): string {
  return ARCHITECTURES[arch] ?? arch
}

/**
 * The one image that a layout's index means: of several platforms this machine's, and nothing that is no image.
 * @throws BottleError `artifact-invalid` for none, or for several, which it names
 */
export async function chooseImage(
  places: BlobPlaces,
  manifests: readonly ParsedDescriptor[],
): Promise<ChosenImage> {
  const parts = new Set(manifests.flatMap((each) => each.annotations?.[ANNOTATION.parts] ?? []))
  const images = manifests.filter((each) => !parts.has(each.digest) && isImage(each))
  if (images.length === 0) {
    const types = [...new Set(manifests.map((each) => each.mediaType))].map(shown).join(', ')
    throw invalid(types ? `it holds no image, only ${types}.` : 'it holds no image.')
  }
  const found: Candidate[] = []
  for (const image of images) found.push(...(await candidatesOf(places, image, namesOf(image), new Set())))
  const chosen = pickOne(found)
  const { annotations } = chosen.descriptor
  const own = annotations?.[ANNOTATION.parts]
  return {
    descriptor: chosen.descriptor,
    parts: own ?? null,
    thin: thinOf(annotations?.[ANNOTATION.thin]),
    name: chosen.names[0] ?? null,
  }
}

/** What buildx adds about an image, and artifacts of other kinds, are no images. Pure. */
function isImage(descriptor: ParsedDescriptor): boolean {
  if (descriptor.annotations?.['vnd.docker.reference.type'] !== undefined) return false
  if (descriptor.artifactType || descriptor.mediaType === MEDIA.parts) return false
  if (descriptor.platform?.os === 'unknown') return false
  return isManifestType(descriptor.mediaType) || isIndexType(descriptor.mediaType)
}

function namesOf(descriptor: ParsedDescriptor): string[] {
  const { annotations } = descriptor
  const names = [annotations?.['io.containerd.image.name'], annotations?.[ANNOTATION.refName]]
  return names.filter((name) => name !== undefined && name !== '') as string[]
}

async function candidatesOf(
  places: BlobPlaces,
  descriptor: ParsedDescriptor,
  names: readonly string[],
  above: ReadonlySet<string>,
): Promise<Candidate[]> {
  if (isManifestType(descriptor.mediaType)) return [{ descriptor, names }]
  if (above.has(descriptor.digest) || above.size >= DEPTH_MAX) {
    throw invalid(`its indexes lead in a circle or too deep (${shortDigest(descriptor.digest)}).`)
  }
  const { value } = await readJsonBlob(places, descriptor, IndexSchema, 'index')
  const inside = new Set([...above, descriptor.digest])
  const children = value.manifests.filter(isImage)
  const found: Candidate[] = []
  for (const child of children) {
    // What an engine saves may name the platforms that it never pulled.
    const isThere = children.length === 1 || (await findBlob(places, child.digest)) !== null
    if (isThere) found.push(...(await candidatesOf(places, child, [...names, ...namesOf(child)], inside)))
  }
  return found
}

/** Of several images for several platforms, the one for this machine. Pure. */
function pickOne(found: readonly Candidate[]): Candidate {
  const unique = [...new Map(found.map((each) => [each.descriptor.digest, each])).values()]
  const [first, ...others] = unique
  if (!first) throw invalid('it holds no image whose content is there.')
  if (others.length === 0) return first
  const fitting = unique.filter(
    ({ descriptor: { platform } }) =>
      platform?.os === 'linux' && platform.architecture === ownArchitecture() && !isOlderVariant(platform),
  )
  const [fit, ...more] = fitting
  if (fit && more.length === 0) return fit
  throw invalid(`it holds several images: ${unique.map(titleOf).join(', ')}. Export the wanted one alone.`)
}

function isOlderVariant(platform: { readonly variant?: string | null | undefined }): boolean {
  return platform.variant === 'v6' || platform.variant === 'v5'
}

function titleOf({ descriptor, names }: Candidate): string {
  const { platform } = descriptor
  const title = names[0] ?? shortDigest(descriptor.digest)
  return shown(platform ? `${title} (${platform.os}/${platform.architecture})` : title)
}

function thinOf(text: string | undefined): number {
  if (text === undefined) return 0
  if (!/^\d{1,4}$/.test(text)) throw invalid(`it says that it leaves out ${shown(text)} layers.`)
  return Number(text)
}
