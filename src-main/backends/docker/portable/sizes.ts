import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import type { LayerSizes } from '../../portable.ts'
import { type Engine, SHORT_MS } from '../engine.ts'
import { chainIds, inBatches, layersOfImages, listImages } from './image-index.ts'
import { layerBytesOf } from './layer-bytes.ts'
import { readTransferTag } from './transfer-tags.ts'

const AT_ONCE = 8

/** What each snapshot's layers weigh, and which of them something else needs too. Missing images weigh nothing. @throws BottleError */
export async function sizesOfSnapshots(
  engine: Engine,
  snapshots: readonly Snapshot[],
  signal: AbortSignal,
): Promise<readonly LayerSizes[]> {
  const [rows, containers] = await Promise.all([
    listImages(engine, false, signal),
    engine.get<{ ImageID: string }[] | null>('list containers', '/containers/json?all=1', signal, SHORT_MS),
  ])
  const idOf = new Map(rows.flatMap(({ Id, RepoTags }) => (RepoTags ?? []).map((tag) => [tag, Id] as const)))
  const imageOf = (snapshot: Snapshot) => idOf.get(snapshot.reference) ?? null
  const ours = new Set(snapshots.map((snapshot) => snapshot.reference))
  // Images without any name of ours, or with another one beside it, stay whatever becomes of our snapshots.
  const kept = rows.filter(({ RepoTags }) => {
    const tags = (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>' && !readTransferTag(tag))
    return tags.length === 0 || tags.some((tag) => !ours.has(tag))
  })
  const keepers = new Set([...kept.map((row) => row.Id), ...(containers ?? []).map((row) => row.ImageID)])
  const snapshotIds = snapshots.flatMap((snapshot) => imageOf(snapshot) ?? [])
  const layers = await layersOfImages(engine, [...keepers, ...snapshotIds], signal)
  const elsewhere = new Set([...keepers].flatMap((id) => chainIds(layers.get(id)?.diffIds ?? [])))
  const bytes = new Map<string, readonly number[]>()
  await inBatches([...new Set(snapshotIds)], AT_ONCE, async (id) => {
    const image = layers.get(id)
    if (image) bytes.set(id, await layerBytesOf(engine, image, signal))
  })
  return snapshots.map((snapshot) => {
    const id = imageOf(snapshot)
    const keys = chainIds((id && layers.get(id)?.diffIds) || [])
    const sizes = (id && bytes.get(id)) || []
    return {
      snapshotId: snapshot.id,
      layers: keys.map((key, at) => ({ key, bytes: sizes[at] ?? 0 })),
      usedElsewhere: [...new Set(keys.filter((key) => elsewhere.has(key)))],
    }
  })
}
