import { TAR_END, tarPadding, writeTarHeader } from '../../workers/tar/writer.ts'
import { sha256 } from '../images/digest.ts'
import type { Platform } from '../portable.ts'

const BLOCK = 512
const INDEX = 'application/vnd.oci.image.index.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
/** Not compressed: the engine unpacks it into a disk image at once. */
const LAYER = 'application/vnd.oci.image.layer.v1.tar'

export interface LayoutRequest {
  /** Normalised name under which the image is loaded. */
  readonly reference: string
  readonly platform: Platform
  /** Text of the image config; its `diff_ids` are the layers' digests. */
  readonly config: string
  /** Uncompressed layers, bottom first. */
  readonly layers: readonly { readonly digest: string; readonly bytes: number }[]
}

/** All of an image but its layers. */
export interface Layout {
  readonly manifestDigest: string
  readonly indexDigest: string
  /** Small files of the layout in the order in which they are written; paths inside the archive. */
  readonly files: readonly { readonly path: string; readonly text: string }[]
}

/** Pure: the layout as `container image save` writes it: an index of its own for the image below the archive's. */
export function planLayout(request: LayoutRequest): Layout {
  const { platform } = request
  const config = described(CONFIG, request.config)
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config,
    layers: request.layers.map(({ digest, bytes }) => ({ mediaType: LAYER, digest, size: bytes })),
  })
  const manifestEntry = { ...described(MANIFEST, manifest), platform }
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [manifestEntry] })
  const annotations = {
    'io.containerd.image.name': request.reference,
    'org.opencontainers.image.ref.name': request.reference,
  }
  const top = JSON.stringify({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [{ ...described(INDEX, index), annotations }],
  })
  return {
    manifestDigest: manifestEntry.digest,
    indexDigest: sha256(index),
    files: [
      ...[request.config, manifest, index].map((text) => ({ path: blobPath(sha256(text)), text })),
      { path: 'index.json', text: top },
    ],
  }
}

const described = (mediaType: string, text: string) => ({
  mediaType,
  digest: sha256(text),
  size: Buffer.byteLength(text),
})

/** Pure: where a blob lies in a layout. */
export const blobPath = (digest: string) => `blobs/sha256/${digest.slice('sha256:'.length)}`

/** Pure: the header before a layer's content. */
export function layerHeader(digest: string, bytes: number): Uint8Array {
  return writeTarHeader({ path: blobPath(digest), type: 'file', size: bytes })
}

/** Pure: the file that says what the archive is; two blocks. */
export const layoutMark = (): Uint8Array =>
  fileEntry('oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' }))

/**
 * Pure: the beginning of a layout whose first blob is its only layer. It has the same length for every digest and size,
 * so that it can be written after the content: the longer header of a large file takes the place of the layout's mark.
 */
export function layoutHead(
  digest: string,
  bytes: number,
): { readonly head: Uint8Array; readonly hasMark: boolean } {
  const header = layerHeader(digest, bytes)
  return header.length === BLOCK
    ? { head: Buffer.concat([layoutMark(), header]), hasMark: true }
    : { head: header, hasMark: false }
}

/** Length of every `layoutHead`. */
export const HEAD_BYTES = 3 * BLOCK

/** Pure: what follows the layers. */
export function layoutTail(layout: Layout, hasMark: boolean): Uint8Array {
  const parts = layout.files.map(({ path, text }) => fileEntry(path, text))
  return Buffer.concat([...(hasMark ? [] : [layoutMark()]), ...parts, TAR_END])
}

function fileEntry(path: string, text: string): Uint8Array {
  const bytes = Buffer.from(text)
  const header = writeTarHeader({ path, type: 'file', size: bytes.length })
  return Buffer.concat([header, bytes, tarPadding(bytes.length)])
}
