import { rm } from 'node:fs/promises'
import { bottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import type { Workers } from '../../workers/types.ts'
import type { Compression } from '../oci.ts'
import { openStagedFile } from '../store/staged-file.ts'
import type { ArtifactStore, Staging, StoredLayer } from '../store/types.ts'

/** What packing stands on; one for a whole operation. */
export interface PackTools {
  readonly store: ArtifactStore
  readonly workers: Workers
  readonly staging: Staging
  readonly codec: Compression
  /** Told of every blob that this operation put into the store. */
  readonly onAdopted: (digest: string) => void
  /** Told of content as it is read. */
  readonly onBytes: (bytes: number) => void
}

let count = 0

/**
 * Compresses a content into the store, straight from the stream. A content that `isWanted` does not know is thrown
 * away. Once the blob is there it is found again, also by a later process that goes on where this one died.
 * @returns the layer, or only the content's digest when it was not wanted
 */
export async function packLayer(
  tools: PackTools,
  content: AsyncIterable<Uint8Array>,
  isWanted: (contentDigest: string) => boolean,
  signal: AbortSignal,
): Promise<{ readonly contentDigest: string; readonly layer: StoredLayer | null }> {
  const { store, workers, codec } = tools
  const file = await openStagedFile(tools.staging, `layer-${++count}`)
  let packed: Awaited<ReturnType<Workers['pack']>>
  try {
    packed = await workers.pack(metered(content, tools.onBytes, signal), codec, file.write, signal)
  } finally {
    await file.close()
  }
  const { contentDigest, contentBytes, digest, bytes } = packed
  if (file.bytes() !== bytes) throw bottleError('internal', 'A layer was not written in full.')
  if (!isWanted(contentDigest)) {
    await rm(file.path, { force: true })
    return { contentDigest, layer: null }
  }
  const layer = { diffId: contentDigest, contentBytes, codec, digest, size: bytes, isCanonical: true }
  faultPoint('export:layer-staged')
  tools.onAdopted(digest)
  await store.adoptFile(file.path, digest)
  faultPoint('export:layer-adopted')
  await store.noteLayer(layer)
  faultPoint('export:layer-noted')
  return { contentDigest, layer }
}

async function* metered(
  content: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  for await (const chunk of content) {
    if (signal.aborted) throw bottleError('cancelled')
    yield chunk
    onBytes(chunk.length)
  }
}
