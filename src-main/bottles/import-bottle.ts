import type { ImportResult, Snapshot } from '../../src-preload/contract/index.ts'
import { findBaseLayers } from '../artifacts/import/base-layers.ts'
import { earlyLayers } from '../artifacts/import/early-layers.ts'
import { importLimits } from '../artifacts/import/limits.ts'
import { type ReadImage, readStaged } from '../artifacts/import/read-staged.ts'
import { isSmolmachine } from '../artifacts/import/smolmachine.ts'
import { stageArchive } from '../artifacts/import/stage-archive.ts'
import { adoptContent, nameImage } from '../artifacts/import/stored-import.ts'
import type { StagedImage } from '../artifacts/import/types.ts'
import {
  layerFiles,
  type VerifiedContent,
  type VerifiedLayer,
  type VerifyDeps,
  verifyContent,
} from '../artifacts/import/verify-content.ts'
import type { ArtifactStore } from '../artifacts/store/types.ts'
import type { Backend } from '../backends/backend.ts'
import type { LayerFile, Portable } from '../backends/portable.ts'
import { clearIntent } from '../state/intent.ts'
import { appendJournal } from '../state/journal.ts'
import { markPreserved, writeCommittedImage, writeSnapshot } from '../state/snapshot-files.ts'
import { isBottleError, toBottleError } from '../system/bottle-error.ts'
import { requireSpace } from '../system/disk-space.ts'
import { faultPoint } from '../system/fault.ts'
import type { Workers } from '../workers/types.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import type { ImportSource } from './artifact-services.ts'
import { writeDefinitions } from './carried-definitions.ts'
import { chooseImportBackend } from './import-backend.ts'
import { importNotices } from './import-notices.ts'
import { draftUnderFreeId, freeSnapshotId, reserveImport } from './import-records.ts'
import { unpackVolumes } from './import-volumes.ts'
import { removeImport } from './recover-import.ts'
import type { OperationContext } from './services.ts'

export interface ImportOptions {
  /** What the bottle shall be called; taken names get a number. */
  readonly label?: string | undefined
}

/** Milliseconds that taking a failed import back may last. */
const TAKE_BACK_MS = 120_000

/**
 * Makes a frozen bottle of an archive: read → verified → loaded into an engine → recorded. Whatever fails, nothing of
 * it stays: no bottle, no image, no blob.
 * @throws BottleError `artifact-invalid`, `artifact-base-missing`, `disk-full`, `unsupported`, `engine-missing`, …
 */
export async function importBottle(
  deps: ArtifactDeps,
  source: ImportSource,
  options: ImportOptions,
  context: OperationContext,
): Promise<ImportResult> {
  if ('file' in source && (await isSmolmachine(source.file))) {
    const { importPack } = await import('./import-pack.ts')
    const made = await importPack(deps, source.file, options, context)
    if (made) return made
  }
  const [store, workers, settings] = await Promise.all([deps.store(), deps.workers(), deps.settings()])
  const limits = importLimits(settings.all())
  const staged = await stageArchive(
    source,
    { store, workers, limits, progress: context.progress },
    context.signal,
  )
  return importStaged(deps, staged, options, context)
}

/** As `importBottle`, for an image whose blobs are staged already. Releases the staging folder, whatever happens. */
export async function importStaged(
  deps: ArtifactDeps,
  staged: StagedImage,
  options: ImportOptions,
  caller: OperationContext,
): Promise<ImportResult> {
  const stop = new AbortController()
  const context = { ...caller, signal: AbortSignal.any([caller.signal, stop.signal]) }
  try {
    const [store, workers, settings] = await Promise.all([deps.store(), deps.workers(), deps.settings()])
    const limits = importLimits(settings.all())
    const image = await readStaged(staged, store, limits)
    const backend = await chooseImportBackend(deps, image, context.signal)
    const portable = await backend.portable()
    const bases = await findBaseLayers(image, store, portable, context.signal)
    const volumeBytes = image.volumes.reduce((sum, { fact }) => sum + fact.bytes, 0)
    await requireSpace(deps.root.dir, 'This import', volumeBytes, limits.freeBytes)
    const early = await earlyLayers(image, bases, workers)
    const verifying = verified(image, bases, { store, workers, limits }, early !== null, context)
    // Heard of where it is awaited; until then its failure must not count as nobody's.
    verifying.catch(() => undefined)
    try {
      if (!early) await verifying
      const parts: Parts = { image, early, verifying, backend, portable, store, workers }
      return await makeBottle(deps, parts, options, context)
    } finally {
      // Nothing may read in the staging folder any more when it goes.
      stop.abort()
      await verifying.catch(() => undefined)
    }
  } catch (thrown) {
    throw toBottleError(thrown)
  } finally {
    await staged.staging.release()
  }
}

/** Reads everything through. Told as progress unless a load tells its own meanwhile. */
async function verified(
  image: ReadImage,
  bases: ReadonlyMap<string, VerifiedLayer>,
  deps: VerifyDeps,
  isQuiet: boolean,
  context: OperationContext,
): Promise<VerifiedContent> {
  const blobs = [...image.layers, ...image.volumes]
  const total = blobs.reduce((sum, { place }) => sum + (place?.bytes ?? 0), 0)
  let current = 0
  context.progress({ phase: 'verifying', current, total })
  const content = await verifyContent(image, deps, context.signal, (bytes) => {
    current += bytes
    if (!isQuiet) context.progress({ phase: 'verifying', current: Math.min(current, total), total })
  })
  const layers = image.layers.map((layer, at) => content.layers[at] ?? bases.get(layer.diffId) ?? null)
  return { ...content, layers }
}

interface Parts {
  readonly image: ReadImage
  /** Layers that may be given to the engine while they are verified; null: only afterwards. */
  readonly early: ReadonlyMap<string, LayerFile> | null
  readonly verifying: Promise<VerifiedContent>
  readonly backend: Backend
  readonly portable: Portable
  readonly store: ArtifactStore
  readonly workers: Workers
}

async function makeBottle(
  deps: ArtifactDeps,
  parts: Parts,
  options: ImportOptions,
  context: OperationContext,
): Promise<ImportResult> {
  const { image, backend } = parts
  const id = await freeSnapshotId(deps, image.facts?.snapshot.id ?? null, new Date())
  const notices = await importNotices(deps, image)
  const make = (slug: string): Promise<Snapshot> =>
    draftUnderFreeId(deps, backend, image, slug, id, context.signal)
  const reservation = await reserveImport(deps, backend, image, options, notices, make, context.signal)
  const { slug, draft } = reservation
  try {
    try {
      faultPoint('import:after-reserve')
      const snapshot = await fill(deps, parts, draft, context)
      await record(deps, parts, snapshot)
      const message = `Imported from ${JSON.stringify(image.staged.name)}, as ${snapshot.id}.`
      await appendJournal(deps.root, slug, { op: 'import', outcome: 'done', message })
      const all = reservation.isRenamed
        ? [`The name ${reservation.wished} is taken, so the bottle is called ${slug}.`, ...notices]
        : notices
      for (const notice of all) context.notice(notice)
      return { slug, snapshot: snapshot.id, backend: backend.name, notices: [...all] }
    } catch (thrown) {
      throw await takeBack(deps, parts.store, slug, draft, thrown)
    }
  } finally {
    await reservation.release()
  }
}

/** Everything that the record will name: definitions, volumes, the engine's image. */
async function fill(
  deps: ArtifactDeps,
  parts: Parts,
  draft: Snapshot,
  context: OperationContext,
): Promise<Snapshot> {
  const { image, verifying, workers } = parts
  if (image.facts) await writeDefinitions(deps.root, draft.slug, image.facts.definitions)
  const partsDir = deps.root.path('state', draft.slug, 'snapshots', `${draft.id}.d`)
  const fillVolumes = async (): Promise<void> => {
    const { volumes } = await verifying
    await unpackVolumes(workers, volumes, draft.volumes, partsDir, context.signal)
    faultPoint('import:after-volumes')
  }
  const [volumes, load] = await Promise.allSettled([fillVolumes(), loadImage(deps, parts, draft, context)])
  if (volumes.status === 'rejected') throw volumes.reason
  if (load.status === 'rejected') throw load.reason
  const { leftBehind = [], ...loaded } = load.value
  faultPoint('import:after-load')
  const volumeBytes = draft.volumes.reduce((sum, volume) => sum + volume.bytes, 0)
  return {
    ...draft,
    ...loaded,
    leftOut: [...draft.leftOut, ...leftBehind],
    bytes: Math.max(loaded.bytes, volumeBytes),
  }
}

/** Gives the engine the image, at once where that can be; it keeps nothing before all was verified. */
async function loadImage(
  deps: ArtifactDeps,
  parts: Parts,
  draft: Snapshot,
  context: OperationContext,
): ReturnType<Portable['load']> {
  const { image, early, verifying, portable, workers } = parts
  const verified = verifying.then(() => undefined)
  // A load that fails early never hears of it.
  verified.catch(() => undefined)
  const give = (layers: ReadonlyMap<string, LayerFile>) =>
    portable.load(
      {
        snapshot: draft,
        rootId: deps.root.id,
        image: {
          platform: image.platform,
          config: image.config,
          createdAt: image.createdAt,
          diffIds: image.layers.map((layer) => layer.diffId),
        },
        layers,
        verified,
      },
      context.progress,
      context.signal,
    )
  if (early) {
    try {
      return await give(early)
    } catch (thrown) {
      // What verification says is the better reason; and a wrong length is known to be wrong by then.
      await verifying
      if (!isBottleError(thrown) || thrown.code !== 'artifact-invalid') throw thrown
    }
  }
  return give(layerFiles((await verifying).layers, workers))
}

/** From the switch of `committed-image` on the bottle is whole; before it, recovery takes everything back. */
async function record(deps: ArtifactDeps, parts: Parts, snapshot: Snapshot): Promise<void> {
  const { root } = deps
  const { slug } = snapshot
  const content = await parts.verifying
  await adoptContent(parts.store, parts.image, content)
  faultPoint('import:after-adopt')
  await writeSnapshot(root, snapshot)
  faultPoint('import:after-record')
  await writeCommittedImage(root, slug, snapshot.reference)
  faultPoint('import:after-switch')
  await markPreserved(root, slug)
  await nameImage(parts.store, parts.image, content, snapshot)
  faultPoint('import:after-name')
  await clearIntent(root, slug)
  faultPoint('import:after-clear')
}

/** Undoes a failed import; what can't be undone now stays named by the intent, and recovery comes back to it. */
async function takeBack(
  deps: ArtifactDeps,
  store: ArtifactStore,
  slug: string,
  draft: Snapshot,
  thrown: unknown,
): Promise<Error> {
  const failed = toBottleError(thrown)
  // The caller's signal may be what ended the import.
  const signal = AbortSignal.timeout(TAKE_BACK_MS)
  try {
    await store.forget(slug)
    await removeImport(deps, slug, { draft, target: draft.reference }, signal)
  } catch (left) {
    await appendJournal(deps.root, slug, {
      op: 'import',
      outcome: 'failed',
      message: `${failed.message} What was made of it is removed later: ${toBottleError(left).message}`,
      code: failed.code,
    })
  }
  return failed
}
