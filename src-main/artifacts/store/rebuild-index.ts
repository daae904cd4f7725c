import { ANNOTATION, type Descriptor, MEDIA } from '../oci.ts'
import { listBlobs, readJsonBlob } from './blobs.ts'
import { imageAnnotations } from './image-name.ts'

/** Manifests are small; whatever is larger need not be read to know that it is none. */
const MANIFEST_MAX = 4 * 1024 * 1024

/**
 * The images of a layout as its own parts manifests tell them. Images that others made have no such part and are not
 * found: they are portable copies of what an engine holds, and can be had again.
 */
export async function rebuildImages(layout: string): Promise<readonly Descriptor[]> {
  const images: Descriptor[] = []
  for (const blob of await listBlobs(layout)) {
    if (blob.bytes > MANIFEST_MAX) continue
    const json = await readJsonBlob(layout, blob.digest)
    const image = json?.artifactType === MEDIA.parts ? await imageOf(layout, json, blob.digest) : null
    if (image) images.push(image)
  }
  return images.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

function nameOf(image: Descriptor): string {
  return `${image.annotations?.[ANNOTATION.refName] ?? ''} ${image.digest}`
}

async function imageOf(
  layout: string,
  parts: Readonly<Record<string, unknown>>,
  digest: string,
): Promise<Descriptor | null> {
  const subject = parts.subject as Partial<Descriptor> | undefined
  const config = parts.config as Partial<Descriptor> | undefined
  const facts = await readJsonBlob(layout, config?.digest ?? '')
  const slug = (facts?.bottle as { slug?: unknown } | undefined)?.slug
  const snapshot = (facts?.snapshot as { id?: unknown } | undefined)?.id
  if (typeof slug !== 'string' || typeof snapshot !== 'string') return null
  if (typeof subject?.digest !== 'string' || typeof subject.size !== 'number') return null
  if (!(await readJsonBlob(layout, subject.digest))) return null
  return {
    mediaType: MEDIA.manifest,
    digest: subject.digest,
    size: subject.size,
    annotations: imageAnnotations(slug, snapshot, digest),
  }
}
