import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing, quarantine, readJsonObject, readText, writeDurable } from '../../state/durable-file.ts'
import type { StateRoot } from '../../state/root.ts'
import { withShortLock } from '../../state/short-lock.ts'
import { ANNOTATION, type Descriptor, type ImageIndex, MEDIA } from '../oci.ts'
import { blobFolder, isDigest } from './blobs.ts'
import { layerTypes } from './reach.ts'
import { rebuildImages } from './rebuild-index.ts'

const EMPTY: ImageIndex = { schemaVersion: 2, mediaType: MEDIA.index, manifests: [] }
const LAYOUT_TEXT = '{"imageLayoutVersion":"1.0.0"}'

/** Makes the layout where it is missing. */
export async function ensureLayout(root: StateRoot, layout: string): Promise<void> {
  await mkdir(blobFolder(layout), { recursive: true, mode: 0o700 })
  const file = join(layout, 'oci-layout')
  if ((await readText(file)) !== LAYOUT_TEXT) await writeDurable(file, LAYOUT_TEXT)
  if ((await readText(join(layout, 'index.json'))) === undefined) {
    await changeIndex(root, layout, async (images) => images)
  }
}

/**
 * The images of the store. An index that is damaged is kept in quarantine and told anew from the manifests, since a
 * collection that took it for an empty one would delete everything.
 */
export async function readIndex(root: StateRoot, layout: string): Promise<ImageIndex> {
  const file = join(layout, 'index.json')
  const read = await readJsonObject(file)
  if (read.kind === 'absent') return EMPTY
  if (read.kind === 'ok' && Array.isArray(read.value.manifests)) {
    return { ...EMPTY, ...read.value, manifests: read.value.manifests.filter(isDescriptor) }
  }
  await quarantine(root.dir, file).catch((error: unknown) => {
    if (!isMissing(error)) throw error
  })
  return { ...EMPTY, manifests: await rebuildImages(layout) }
}

function isDescriptor(value: unknown): value is Descriptor {
  const { digest, mediaType, size } = (value ?? {}) as Partial<Descriptor>
  return (
    typeof digest === 'string' &&
    isDigest(digest) &&
    typeof mediaType === 'string' &&
    typeof size === 'number'
  )
}

/** Changes the list of images while no other process does. */
export async function changeIndex(
  root: StateRoot,
  layout: string,
  change: (images: readonly Descriptor[]) => Promise<readonly Descriptor[]>,
): Promise<void> {
  await withShortLock(root.path('icebox', 'artifact-index.lock'), async () => {
    const index = await readIndex(root, layout)
    const next: ImageIndex = { ...index, manifests: await change(index.manifests) }
    await writeDurable(join(layout, 'index.json'), JSON.stringify(next))
  })
}

/** The list with one image put in: it takes the place of the same snapshot's in the same codec, and its name. */
export async function withImage(
  layout: string,
  images: readonly Descriptor[],
  image: Descriptor,
): Promise<readonly Descriptor[]> {
  const types = await layerTypes(layout, image)
  const kept: Descriptor[] = []
  for (const known of images) {
    // The same manifest may be several bottles' image: one that was imported twice.
    if (isOf(known, image)) {
      if (known.digest === image.digest || (await layerTypes(layout, known)) === types) continue
    }
    kept.push(withoutName(known, image.annotations?.[ANNOTATION.refName]))
  }
  return [...kept, image]
}

function isOf(known: Descriptor, image: Descriptor): boolean {
  return [ANNOTATION.slug, ANNOTATION.snapshot].every(
    (key) => known.annotations?.[key] !== undefined && known.annotations[key] === image.annotations?.[key],
  )
}

/** Two images of one name would leave other tools without a choice, so the newer one has it. */
function withoutName(known: Descriptor, name: string | undefined): Descriptor {
  if (name === undefined || known.annotations?.[ANNOTATION.refName] !== name) return known
  const { [ANNOTATION.refName]: _taken, ...annotations } = known.annotations
  return { ...known, annotations }
}

/** The list without a bottle's images, or without those of one snapshot. Pure. */
export function withoutImages(
  images: readonly Descriptor[],
  slug: string,
  snapshot: string | undefined,
): readonly Descriptor[] {
  return images.filter(
    ({ annotations }) =>
      annotations?.[ANNOTATION.slug] !== slug ||
      (snapshot !== undefined && annotations[ANNOTATION.snapshot] !== snapshot),
  )
}
