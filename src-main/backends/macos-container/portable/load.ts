import { join } from 'node:path'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import { bottleError, toBottleError } from '../../../system/bottle-error.ts'
import { requireSpace } from '../../../system/disk-space.ts'
import { faultPoint } from '../../../system/fault.ts'
import type { ReportProgress } from '../../backend.ts'
import { loadConfig } from '../../images/load-archive.ts'
import { LABEL, snapshotTag } from '../../labels.ts'
import type { LayerFile, LoadRequest, Portable } from '../../portable.ts'
import { type ContainerClient, requireRelease } from '../client.ts'
import { rememberConfig } from '../image-config.ts'
import { fullReference, inspectImage, type StoredImage, variantFor } from '../images.ts'
import { writeLayoutOfLayers } from '../layout-file.ts'
import { labelsOf, removeOwnImage } from '../rebuild.ts'
import { withScratch } from '../scratch.ts'

const LATE_MS = 120_000
/** The layout, and what the engine makes of it. */
const SPACE_FACTOR = 2
const PIECE = 8 << 20

/**
 * Loads a snapshot's image under its own name, with the labels that a freeze would give it. The engine gets nothing
 * before all was verified; a failure or an abort leaves no image. @throws BottleError
 */
export async function loadSnapshot(
  client: ContainerClient,
  home: string,
  request: LoadRequest,
  progress: ReportProgress,
  signal: AbortSignal,
): ReturnType<Portable['load']> {
  // Somebody has to hear its failure, whatever fails first.
  request.verified.catch(() => {})
  const { snapshot } = request
  const reference = snapshotTag(snapshot.slug, snapshot.id)
  await requireRelease(client, signal)
  await requireFree(client, snapshot, reference, signal)
  let isGiven = false
  try {
    const layers = requireLayers(request)
    const total = layers.reduce((sum, layer) => sum + layer.bytes, 0)
    await requireSpace(home, 'This image', SPACE_FACTOR * total, 0)
    return await withScratch(home, async (dir) => {
      const file = join(dir, 'layout.tar')
      const { manifestDigest } = await writeLayoutOfLayers(
        file,
        layers,
        {
          reference: fullReference(reference),
          platform: request.image.platform,
          config: loadConfig(request, reference),
          layers: layers.map(({ diffId, bytes }) => ({ digest: diffId, bytes })),
        },
        teller(progress, total),
        signal,
      )
      await unless(signal, request.verified)
      // Another root may have imported the same archive since the first look.
      await requireFree(client, snapshot, reference, signal)
      faultPoint('import:before-load-end')
      isGiven = true
      await client.run(['image', 'load', '--input', file], signal, { tempDir: dir })
      faultPoint('import:engine-loaded')
      const image = await readBack(client, request, reference, manifestDigest, signal)
      const { config } = JSON.parse(loadConfig(request, reference)) as { readonly config: object }
      const name = { digest: image.digest, platform: request.image.platform }
      await rememberConfig(home, name, { config, bytes: total })
      return loadedFacts(request, image, reference, total)
    })
  } catch (thrown) {
    // Only what carries this very record: the name was free before. What can't be taken back now, recovery takes back.
    const late = AbortSignal.timeout(LATE_MS)
    if (isGiven) await removeOwnImage(client, reference, request.rootId, late).catch(() => {})
    throw toBottleError(thrown, snapshot.slug)
  }
}

function teller(progress: ReportProgress, total: number): (written: number) => void {
  let told = 0
  return (written) => {
    if (written - told < PIECE && written < total) return
    told = written
    progress({ phase: 'loading', current: written, total })
  }
}

/** A load would take the name from whatever has it. @throws BottleError `exists` */
async function requireFree(
  client: ContainerClient,
  { slug }: Snapshot,
  reference: string,
  signal: AbortSignal,
): Promise<void> {
  if (!(await inspectImage(client, reference, signal))) return
  throw bottleError('exists', `There is an image ${reference} already.`, { slug })
}

function requireLayers({ image, layers, snapshot }: LoadRequest): readonly LayerFile[] {
  const lacking = image.diffIds.filter((diffId) => !layers.has(diffId))
  if (lacking.length > 0) {
    throw bottleError(
      'artifact-base-missing',
      "Apple's container takes whole images only, and the layers below this artifact are not here.",
      { slug: snapshot.slug, detail: lacking.join(', ') },
    )
  }
  return image.diffIds.flatMap((diffId) => layers.get(diffId) ?? [])
}

async function readBack(
  client: ContainerClient,
  { image: wanted, snapshot }: LoadRequest,
  reference: string,
  manifestDigest: string,
  signal: AbortSignal,
): Promise<StoredImage> {
  const found = await inspectImage(client, reference, signal)
  const variant = found && variantFor(found, wanted.platform)
  const isRight =
    variant?.digest === manifestDigest ||
    (variant?.diffIds.length === wanted.diffIds.length &&
      wanted.diffIds.every((diffId, at) => variant.diffIds[at] === diffId))
  if (found && isRight && variant && labelsOf(variant.config)[LABEL.snapshot] === snapshot.id) return found
  throw bottleError(
    'engine-failed',
    `Apple's container made another image of ${reference} than it was given.`,
  )
}

/** True of the container that was frozen elsewhere, and of nothing here. */
const OF_THE_CONTAINER = new Set([
  'containerId',
  'containerFinishedAt',
  'changesFingerprint',
  'pausedMs',
  'stoppedMs',
  'standPoint',
  'layerDigest',
])

function loadedFacts(
  { snapshot, image: { diffIds } }: LoadRequest,
  image: StoredImage,
  reference: string,
  bytes: number,
): Pick<Snapshot, 'reference' | 'digest' | 'bytes' | 'ownBytes' | 'facts'> {
  const parts = snapshot.volumes.reduce((sum, part) => sum + part.bytes, 0)
  const kept = Object.entries(snapshot.facts).filter(([name]) => !OF_THE_CONTAINER.has(name))
  const { hasShell, baseLayers } = snapshot.facts
  const base = typeof baseLayers === 'number' && baseLayers <= diffIds.length ? baseLayers : 0
  return {
    reference,
    digest: image.digest,
    bytes: bytes + parts,
    // Which of these layers something else needs too is not known here.
    ownBytes: base === 0 ? bytes + parts : null,
    facts: {
      ...Object.fromEntries(kept),
      hasShell: typeof hasShell === 'boolean' ? hasShell : null,
      baseLayers: base,
      layers: diffIds.length,
      layerBytes: bytes,
    },
  }
}

/** Waits for a promise no longer than the signal allows. */
async function unless(signal: AbortSignal, promise: Promise<void>): Promise<void> {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
