import { ANNOTATION, type Descriptor, type ImageIndex, MEDIA } from '../oci.ts'
import { refNameOf } from '../store/image-name.ts'
import type { StoredSnapshot } from '../store/types.ts'
import type { PutSnapshot } from './put-snapshot.ts'
import { stableBytes } from './stable-json.ts'

/** One file of an archive: its bytes, or a blob of the store. */
export type ArchiveMember =
  | { readonly name: string; readonly size: number; readonly bytes: Uint8Array }
  | { readonly name: string; readonly size: number; readonly digest: string }

export interface ArchivePlan {
  readonly members: readonly ArchiveMember[]
  /** The lowest layers that are left out; 0 for a full archive. */
  readonly thin: number
}

function nameOf(digest: string): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`
}

function bytesMember(name: string, bytes: Uint8Array): ArchiveMember {
  return { name, size: bytes.length, bytes }
}

/** The first file: what follows is an OCI image layout. */
export const LAYOUT_MEMBER = bytesMember(
  'oci-layout',
  new TextEncoder().encode('{"imageLayoutVersion":"1.0.0"}'),
)

export function blobMember({ digest, size }: Pick<Descriptor, 'digest' | 'size'>): ArchiveMember {
  return { name: nameOf(digest), size, digest }
}

/**
 * The files of an archive in their order: layout, layers from the bottom, config, manifest, volumes, facts, parts
 * manifest, index, and last docker's own list, so that a reader of one pass has seen all that it names. A content that
 * comes twice is written once. Pure.
 */
export function planArchive(
  stored: StoredSnapshot,
  put: PutSnapshot,
  options: { readonly thin: boolean },
): ArchivePlan {
  const thin = options.thin ? Math.min(stored.baseLayers, stored.layers.length) : 0
  const blobs = [
    ...stored.layers.slice(thin),
    put.config,
    put.image,
    ...stored.volumes,
    put.facts,
    ...(put.empty ? [put.empty] : []),
    put.parts,
  ]
  const once = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()]
  const members = [
    LAYOUT_MEMBER,
    ...once.map(blobMember),
    bytesMember('index.json', stableBytes(indexOf(put.image, thin))),
    bytesMember('manifest.json', stableBytes(dockerList(stored, put.config))),
  ]
  return { members, thin }
}

/** Exactly one image, because other tools ask for a name when there are more; the parts are found by annotation. */
function indexOf(image: Descriptor, thin: number): ImageIndex {
  const annotations = { ...image.annotations, ...(thin > 0 ? { [ANNOTATION.thin]: String(thin) } : {}) }
  return { schemaVersion: 2, mediaType: MEDIA.index, manifests: [{ ...image, annotations }] }
}

/** What `docker load` reads. The name is none that a live snapshot has: a load would move that one. */
function dockerList(stored: StoredSnapshot, config: Descriptor): unknown {
  const { bottle, snapshot } = stored.facts
  return [
    {
      Config: nameOf(config.digest),
      RepoTags: [`icebox/${bottle.slug}:${snapshot.id}`],
      Layers: stored.layers.map((layer) => nameOf(layer.digest)),
    },
  ]
}

/** File name that an export suggests: `web-1-20261121T074500Z-k3f9.bottle`. */
export function bottleFileName(slug: string, snapshot: string): string {
  return `${refNameOf(slug, snapshot)}.bottle`
}
