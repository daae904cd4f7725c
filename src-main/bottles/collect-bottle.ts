import { join } from 'node:path'
import type { Snapshot } from '../../src-preload/contract/index.ts'
import { type CollectTools, collectSnapshot } from '../artifacts/export/collect-snapshot.ts'
import type { Compression } from '../artifacts/oci.ts'
import type { KnownSecret } from '../artifacts/scrub/types.ts'
import type { ArtifactStore, Staging, StoredSnapshot } from '../artifacts/store/types.ts'
import { readSnapshots } from '../state/snapshot-files.ts'
import { bottleError, isBottleError } from '../system/bottle-error.ts'
import type { ArtifactDeps } from './artifact-deps.ts'
import { secretValues } from './secret-values.ts'
import type { OperationContext } from './services.ts'
import { travelFacts } from './travel-facts.ts'

export interface CollectOptions {
  readonly codec: Compression
  readonly staging: Staging
  /** Folders besides the store into which the whole will be written. */
  readonly alsoWrittenTo: readonly string[]
  /** Told of the layers from the bottom up, as soon as all below are in the store too. */
  readonly onLayer?: CollectTools['onLayer']
}

export interface CollectedBottle {
  readonly stored: StoredSnapshot
  /** Values to search for; never written anywhere. */
  readonly secrets: readonly KnownSecret[]
}

export interface CollectedTools {
  readonly store: ArtifactStore
  readonly staging: Staging
  /** Names a further blob that goes again if the operation is cancelled, unless an image needs it. */
  readonly takeBack: (digest: string) => void
}

/**
 * Brings a snapshot with all that travels along into the store. No lock is held: a freeze of the same bottle goes on
 * meanwhile, and a deletion of this snapshot is told as what it is. An operation that is cancelled, or that filled the
 * disk, takes back what it put into the store.
 */
export async function withCollected<T>(
  deps: ArtifactDeps,
  snapshot: Snapshot,
  options: Omit<CollectOptions, 'staging'> & {
    readonly what: string
    /** True where the store is only a way through: what was put into it goes again at the end. */
    readonly isPassing?: boolean
  },
  context: OperationContext,
  use: (collected: CollectedBottle, tools: CollectedTools) => Promise<T>,
): Promise<T> {
  const store = await deps.store()
  const staging = await store.stage(options.what)
  const adopted = new Set<string>()
  try {
    const collected = await collect(deps, snapshot, { ...options, staging }, adopted, context)
    const result = await use(collected, { store, staging, takeBack: (digest) => adopted.add(digest) })
    if (options.isPassing) {
      await staging.release()
      await store.collect({ dryRun: false, only: adopted }, new AbortController().signal)
    }
    return result
  } catch (error) {
    const isAbandoned =
      options.isPassing ||
      context.signal.aborted ||
      (isBottleError(error) && ABANDONED.has(error.code)) ||
      isFull(error)
    await staging.release()
    if (isAbandoned) await store.collect({ dryRun: false, only: adopted }, new AbortController().signal)
    throw await explained(deps, snapshot, error)
  } finally {
    await staging.release()
  }
}

/** After these nobody comes back for what was done so far; after other failures a second try goes on from there. */
const ABANDONED: ReadonlySet<string> = new Set(['cancelled', 'disk-full'])

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}

async function collect(
  deps: ArtifactDeps,
  snapshot: Snapshot,
  options: CollectOptions,
  adopted: Set<string>,
  context: OperationContext,
): Promise<CollectedBottle> {
  const [backend, store, workers, settings, secrets] = await Promise.all([
    deps.backends.get(snapshot.backend),
    deps.store(),
    deps.workers(),
    deps.settings(),
    secretValues(deps, snapshot.slug, context.notice),
  ])
  const request = {
    snapshot,
    portable: await backend.portable(),
    partsDir: join(deps.root.path('state', snapshot.slug, 'snapshots'), `${snapshot.id}.d`),
    codec: options.codec,
    bottle: await travelFacts(deps, snapshot, secrets, context.notice),
    alsoWrittenTo: options.alsoWrittenTo,
    floorBytes: Number(settings.all().minFreeMB ?? 0) * 1_000_000,
  }
  const { staging } = options
  const { onLayer } = options
  const tools = { store, workers, staging, onLayer, onAdopted: (digest: string) => adopted.add(digest) }
  return { stored: await collectSnapshot(tools, request, context.progress, context.signal), secrets }
}

/** Whatever an engine says of an image that was deleted under it, the deletion is what a person has to know. */
async function explained(deps: ArtifactDeps, snapshot: Snapshot, error: unknown): Promise<unknown> {
  if (isBottleError(error) && ABANDONED.has(error.code)) return error
  const { slug, id } = snapshot
  const { snapshots } = await readSnapshots(deps.root, slug)
  if (snapshots.some((known) => known.id === id)) return error
  return bottleError('snapshot-missing', `${slug}@${id} was deleted meanwhile.`, { slug, cause: error })
}
