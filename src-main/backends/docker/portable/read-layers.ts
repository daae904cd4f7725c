import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import { bottleError } from '../../../system/bottle-error.ts'
import type { Engine } from '../engine.ts'
import { withWitness } from './broken-off.ts'
import { chooseRoute } from './choose-route.ts'
import { requireImage } from './image-index.ts'
import { layerBytesOf } from './layer-bytes.ts'
import { readPushedLayers } from './pushed-layers.ts'
import { readSavedLayers, type TakeLayer } from './saved-layers.ts'

/**
 * Streams a snapshot's layers out of the daemon, see `Portable.readLayers`. Few of many come by a push to this process,
 * the rest by a save. @throws BottleError, and what `take` throws
 */
export async function readSnapshotLayers(
  engine: Engine,
  rootId: string,
  snapshot: Snapshot,
  wanted: ReadonlySet<string> | null,
  take: TakeLayer,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found = await requireImage(engine, snapshot, signal)
  const diffIds = found.RootFS?.Layers ?? []
  const missing = new Set(wanted ? diffIds.filter((diffId) => wanted.has(diffId)) : diffIds)
  if (missing.size === 0) return diffIds
  // The push's own name must never be the last one of the image, or taking it away would delete the snapshot.
  const isNamed = (found.RepoTags ?? []).includes(snapshot.reference)
  if (wanted && isNamed && missing.size < new Set(diffIds).size && !(await engine.endpoint()).remote) {
    const sizes = await layerBytesOf(engine, { id: found.Id, diffIds, bytes: found.Size }, signal)
    if (chooseRoute(diffIds, sizes, missing) === 'push') {
      const request = { imageId: found.Id, rootId, diffIds, sizes, wanted: missing }
      for (const digest of await readPushedLayers(engine, request, take, signal)) missing.delete(digest)
    }
  }
  if (missing.size > 0) {
    await withWitness(engine, `save snapshot ${snapshot.id}`, signal, async () => {
      const taken = await readSavedLayers(engine, found.Id, diffIds, missing, take, signal)
      for (const digest of taken) missing.delete(digest)
      requireNone(missing, snapshot)
    })
  }
  return diffIds
}

function requireNone(missing: ReadonlySet<string>, snapshot: Snapshot): void {
  const [lacking] = missing
  if (lacking === undefined) return
  throw bottleError('engine-failed', `Docker did not give all layers of snapshot ${snapshot.id}.`, {
    slug: snapshot.slug,
    detail: `${missing.size} missing, among them ${lacking}`,
  })
}
