import { join } from 'node:path'
import { z } from 'zod'
import type { ReportProgress } from '../../backends/backend.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { requireSpace } from '../../system/disk-space.ts'
import { ownArchitecture } from '../import/choose-image.ts'
import type { StagedImage } from '../import/types.ts'
import { type Descriptor, MEDIA } from '../oci.ts'
import type { ArtifactStore, Staging } from '../store/types.ts'
import { type BlobRef, downloadBlob } from './blobs.ts'
import { DOCKER_MEDIA, findManifest, listReferrers, parseJson, type RemoteManifest } from './manifests.ts'
import { referenceText } from './reference.ts'
import type { Session } from './session.ts'
import { createTally, transferAll } from './transfers.ts'

const Blob = z.object({
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  size: z.number().int().nonnegative(),
})
const Manifest = z.object({ config: Blob, layers: z.array(Blob).max(10_000) })
const Index = z.object({
  manifests: z
    .array(
      Blob.extend({
        mediaType: z.string(),
        artifactType: z.string().optional(),
        annotations: z.record(z.string(), z.string()).nullish(),
        platform: z
          .object({ os: z.string(), architecture: z.string(), variant: z.string().optional() })
          .nullish(),
      }),
    )
    .max(10_000),
})
type IndexEntry = z.infer<typeof Index>['manifests'][number]

export interface PullTools {
  readonly store: ArtifactStore
  readonly staging: Staging
  /** Bytes of the disk that must stay free. */
  readonly floorBytes: number
  /** Told of every blob that this pull puts into the store. */
  readonly onAdopted: (digest: string) => void
}

const isIndex = (type: string) => type === MEDIA.index || type === DOCKER_MEDIA.index
const isManifest = (type: string) => type === MEDIA.manifest || type === DOCKER_MEDIA.manifest

/**
 * Fetches an image and, if Icebox made it, its parts. Blobs go into the store one by one as their digests are
 * verified, so that a pull that broke does not fetch them again; what nothing comes to need, the next collection
 * removes. Nothing but digests and sizes is verified here.
 * @throws BottleError `not-found`, `artifact-invalid`, `unsupported` without an image for this machine, `disk-full`, …
 */
export async function pullImage(
  session: Session,
  { store, staging, floorBytes, onAdopted }: PullTools,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<StagedImage> {
  const { reference } = session
  const image = await resolveImage(session, signal)
  const parts = await findParts(session, image.digest, signal)
  const blobs = blobsOf(parts ? [image, parts] : [image])
  const missing: BlobRef[] = []
  for (const blob of blobs) if ((await store.blobSize(blob.digest)) === null) missing.push(blob)
  const bytes = missing.reduce((sum, blob) => sum + blob.size, 0)
  await requireSpace(staging.dir, 'This pull', bytes, floorBytes)
  const tally = createTally(bytes, 'pulling', progress)
  await transferAll(missing, signal, async (blob, either) => {
    const file = join(staging.dir, `${blob.digest.replace(':', '-')}.part`)
    await downloadBlob(session, blob, file, tally.start(), either)
    onAdopted(blob.digest)
    await store.adoptFile(file, blob.digest)
  })
  const keep = async (manifest: RemoteManifest): Promise<Descriptor> => {
    onAdopted(manifest.digest)
    return store.putBytes(manifest.bytes, manifest.mediaType)
  }
  return {
    staging,
    image: await keep(image),
    parts: parts ? await keep(parts) : null,
    thin: 0,
    name: reference.path.split('/').at(-1) ?? reference.path,
  }
}

async function resolveImage(session: Session, signal: AbortSignal): Promise<RemoteManifest> {
  const { reference } = session
  const wanted = reference.digest ?? reference.tag ?? 'latest'
  const found = await findManifest(session, wanted, signal)
  if (!found) {
    throw bottleError('not-found', `${reference.host} has no ${reference.path} under ${wanted}.`)
  }
  if (isManifest(found.mediaType)) return found
  if (!isIndex(found.mediaType)) throw noImage(session, found.mediaType)
  const index = Index.safeParse(parseJson(found.bytes))
  if (!index.success) throw invalid(session, 'its index is not as it must be')
  const chosen = chooseEntry(index.data.manifests, ownArchitecture())
  if (!chosen) {
    const platforms = index.data.manifests.map(platformOf).join(', ') || 'none'
    throw bottleError(
      'unsupported',
      `${referenceText(reference)} has no image for linux/${ownArchitecture()}. It has: ${platforms}.`,
    )
  }
  const image = await findManifest(session, chosen.digest, signal)
  if (!image) throw invalid(session, `its manifest ${chosen.digest} is missing`)
  if (!isManifest(image.mediaType)) throw noImage(session, image.mediaType)
  return image
}

/** The image for this machine, or the only one there is; nothing that is no image. Pure. */
export function chooseEntry(entries: readonly IndexEntry[], architecture: string): IndexEntry | null {
  const images = entries.filter(
    (entry) =>
      isManifest(entry.mediaType) &&
      entry.artifactType === undefined &&
      entry.platform?.os !== 'unknown' &&
      entry.annotations?.['vnd.docker.reference.type'] === undefined,
  )
  const fits = images.filter(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  )
  return (
    fits.find(({ platform }) => !/^v[1-6]$/.test(platform?.variant ?? '')) ??
    fits[0] ??
    (images.length === 1 ? (images[0] ?? null) : null)
  )
}

function platformOf({ platform }: IndexEntry): string {
  return platform ? `${platform.os}/${platform.architecture}` : 'unknown'
}

async function findParts(
  session: Session,
  image: string,
  signal: AbortSignal,
): Promise<RemoteManifest | null> {
  const referrers = await listReferrers(session, image, signal)
  // Of several pushes of the same image the last has the newest note and label.
  const own = referrers.findLast((each) => each.artifactType === MEDIA.parts)
  if (!own) return null
  const parts = await findManifest(session, own.digest, signal)
  if (!parts) throw invalid(session, `what belongs to it besides the image (${own.digest}) is missing`)
  return parts
}

function blobsOf(manifests: readonly RemoteManifest[]): readonly BlobRef[] {
  const found = manifests.flatMap((manifest) => {
    const parsed = Manifest.safeParse(parseJson(manifest.bytes))
    if (!parsed.success) {
      throw bottleError('artifact-invalid', `The manifest ${manifest.digest} is not as it must be.`)
    }
    return [parsed.data.config, ...parsed.data.layers]
  })
  const unique = new Map(found.map((blob) => [blob.digest, blob]))
  return [...unique.values()].sort((a, b) => b.size - a.size)
}

function invalid(session: Session, why: string): Error {
  return bottleError('artifact-invalid', `${referenceText(session.reference)} is damaged: ${why}.`)
}

function noImage(session: Session, mediaType: string): Error {
  const shown = mediaType.replace(/[^\w.+/-]/g, '').slice(0, 100) || 'something unnamed'
  return bottleError('unsupported', `${referenceText(session.reference)} is no image but ${shown}.`)
}
