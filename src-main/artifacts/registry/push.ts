import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { ReportProgress } from '../../backends/backend.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { type Descriptor, type ImageIndex, MEDIA } from '../oci.ts'
import type { ArtifactStore, StoredImage } from '../store/types.ts'
import { putManifest, readFallback, referrersTag } from './manifests.ts'
import type { Session } from './session.ts'
import { createTally, transferAll } from './transfers.ts'
import { uploadBlob } from './upload.ts'

export interface Pushed {
  readonly digest: string
  /** Bytes of blobs that travelled, and of those that the registry had. */
  readonly sent: number
  readonly held: number
}

const Blob = z.object({ digest: z.string(), size: z.number() })
const Document = z.object({ config: Blob, layers: z.array(Blob) })

/**
 * Sends an image and its parts: blobs that are missing first, then the manifests, the tag at the very end. So a tag
 * never names anything incomplete, and a push that broke is taken up by pushing again.
 */
export async function pushImage(
  session: Session,
  store: Pick<ArtifactStore, 'blobPath' | 'blobSize'>,
  stored: StoredImage,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<Pushed> {
  const { tag, path } = session.reference
  if (tag === null) throw bottleError('usage', `Name a tag to push ${path} under.`)
  const image = await readFile(store.blobPath(stored.image.digest))
  const parts = await readFile(store.blobPath(stored.parts.digest))
  const blobs = blobsOf([image, parts])
  const tally = createTally(
    blobs.reduce((sum, blob) => sum + blob.size, 0),
    'pushing',
    progress,
  )
  let held = 0
  await transferAll(blobs, signal, async (blob, either) => {
    if ((await store.blobSize(blob.digest)) !== blob.size) throw blobMissing(blob.digest)
    const report = tally.start()
    const upload = { ...blob, file: store.blobPath(blob.digest) }
    const isSent = await uploadBlob(session, upload, report, either)
    if (!isSent) held += blob.size
    report(blob.size)
  })
  await putManifest(session, stored.image.digest, image, MEDIA.manifest, signal)
  const isTracked = await putManifest(session, stored.parts.digest, parts, MEDIA.manifest, signal)
  if (!isTracked) await addToFallback(session, stored, signal)
  await putManifest(session, tag, image, MEDIA.manifest, signal)
  const total = blobs.reduce((sum, blob) => sum + blob.size, 0)
  return { digest: stored.image.digest, sent: total - held, held }
}

/** Every blob that the manifests name, once, largest first: the long transfers begin while short ones fill the gaps. */
function blobsOf(documents: readonly Uint8Array[]) {
  const found = documents
    .map((bytes) => Document.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))))
    .flatMap(({ config, layers }) => [config, ...layers])
  return [...new Map(found.map((blob) => [blob.digest, blob])).values()].sort((a, b) => b.size - a.size)
}

/** For registries that don't list by themselves what refers to an image. Others' entries stay. */
async function addToFallback(session: Session, stored: StoredImage, signal: AbortSignal): Promise<void> {
  const { digest } = stored.image
  const known = await readFallback(session, digest, signal)
  const own: Descriptor = {
    mediaType: MEDIA.manifest,
    digest: stored.parts.digest,
    size: stored.parts.size,
    artifactType: MEDIA.parts,
  }
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: [...known.filter((other) => other.digest !== own.digest), own],
  }
  const bytes = Buffer.from(JSON.stringify(index))
  await putManifest(session, referrersTag(digest), bytes, MEDIA.index, signal)
}

function blobMissing(digest: string): Error {
  return bottleError('internal', `${digest} is not in the artifact store any more. Push again.`)
}
