import { ANNOTATION, type Descriptor, type ImageIndex } from '../oci.ts'
import { isDigest, readJsonBlob } from './blobs.ts'

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {}

function digestIn(value: unknown): string | null {
  const { digest } = record(value)
  return typeof digest === 'string' && isDigest(digest) ? digest : null
}

/** Digests that a manifest or an index names directly. Pure. */
function namedBy(json: Readonly<Record<string, unknown>>): readonly string[] {
  const children = [json.config, ...list(json.layers), ...list(json.manifests), json.subject]
  const named = children.map(digestIn).filter((digest) => digest !== null)
  const parts = list(json.manifests).map((child) => record(record(child).annotations)[ANNOTATION.parts])
  return [...named, ...parts.filter((digest) => typeof digest === 'string' && isDigest(digest)).map(String)]
}

/** Every blob that the index reaches, however deep. A manifest that can't be read reaches nothing but itself. */
export async function reachable(layout: string, index: ImageIndex): Promise<ReadonlySet<string>> {
  const reached = new Set<string>()
  const manifests = [...namedBy({ ...index })]
  for (let digest = manifests.pop(); digest !== undefined; digest = manifests.pop()) {
    if (reached.has(digest)) continue
    reached.add(digest)
    const json = await readJsonBlob(layout, digest)
    if (!json) continue
    const below = namedBy(json)
    const isImage = json.config !== undefined || json.layers !== undefined
    // Config and layers hold no digests of other blobs; reading a layer as JSON would be waste.
    if (!isImage) manifests.push(...below)
    else {
      for (const child of below) reached.add(child)
      const subject = digestIn(json.subject)
      if (subject !== null) {
        reached.delete(subject)
        manifests.push(subject)
      }
    }
  }
  return reached
}

/** Media types of an image's layers, as one text; null when its manifest can't be read. */
export async function layerTypes(layout: string, image: Descriptor): Promise<string | null> {
  const json = await readJsonBlob(layout, image.digest)
  if (!json) return null
  const types = list(json.layers).map((layer) => String(record(layer).mediaType))
  return [...new Set(types)].sort().join(' ')
}
