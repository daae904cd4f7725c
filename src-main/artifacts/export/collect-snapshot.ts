import type { Snapshot } from '../../../src-preload/contract/index.ts'
import type { ReportProgress } from '../../backends/backend.ts'
import type { Portable, PortableImage } from '../../backends/portable.ts'
import type { Workers } from '../../workers/types.ts'
import type { Compression } from '../oci.ts'
import { requireSpace } from '../store/free-space.ts'
import type { ArtifactStore, Staging, StoredLayer, StoredSnapshot } from '../store/types.ts'
import { collectLayers, type OnLayer } from './collect-layers.ts'
import { collectVolumes } from './collect-volumes.ts'
import type { PackTools } from './pack-layer.ts'
import { type BottleFacts, portableFacts } from './portable-facts.ts'

export interface CollectRequest {
  readonly snapshot: Snapshot
  readonly portable: Portable
  /** Absolute path of `snapshots/<id>.d`, where the volumes lie. */
  readonly partsDir: string
  readonly codec: Compression
  readonly bottle: BottleFacts
  /** Folders into which the whole will be written besides the store, for the space check. */
  readonly alsoWrittenTo: readonly string[]
  /** Left free on every disk (setting `minFreeMB`, in bytes). */
  readonly floorBytes: number
}

export interface CollectTools {
  readonly store: ArtifactStore
  readonly workers: Workers
  /** Of the whole operation: it keeps what was collected from being deleted until it is released. */
  readonly staging: Staging
  /** Told of every blob that is put into the store, so that a cancelled operation can take it back. */
  readonly onAdopted: (digest: string) => void
  /** As OnLayer, with the number of layers that a thin archive leaves out. */
  readonly onLayer?: ((layer: StoredLayer, at: number, baseLayers: number) => void) | undefined
}

/** Compressed bytes per byte of content that a disk must have room for, as most content turns out. */
const USUAL_RATIO = { gzip: 0.6, zstd: 0.6, none: 1 } as const

/**
 * Brings all content of a snapshot into the store; what is there already is not read again.
 * @throws BottleError `disk-full`, `snapshot-missing`, `engine-down`, `engine-failed`, `corrupt-state`, `cancelled`
 */
export async function collectSnapshot(
  tools: CollectTools,
  request: CollectRequest,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<StoredSnapshot> {
  const { snapshot, portable, codec } = request
  const image = await portable.describe(snapshot, signal)
  const volumeBytes = snapshot.volumes.reduce((sum, volume) => sum + volume.bytes, 0)
  const total = image.bytes + volumeBytes
  await requireSpace(await needsOf(tools.store, request, image, volumeBytes), request.floorBytes)
  let current = 0
  const pack: PackTools = {
    ...tools,
    codec,
    onBytes(bytes) {
      current += bytes
      // What the engine tells before is an estimate.
      progress({ phase: 'reading layers', current, total: Math.max(total, current) })
    },
  }
  const baseLayers = Math.max(0, Math.min(image.baseLayers, image.diffIds?.length ?? 0))
  const onLayer: OnLayer = (layer, at) => tools.onLayer?.(layer, at, baseLayers)
  const layers = await collectLayers(pack, portable, snapshot, image, onLayer, signal)
  const volumes = await collectVolumes(pack, snapshot, request.partsDir, signal)
  const { platform, config, createdAt } = image
  const facts = portableFacts(snapshot, request.bottle, baseLayers)
  return { platform, config, createdAt, layers, baseLayers, volumes, facts }
}

async function needsOf(
  store: ArtifactStore,
  request: CollectRequest,
  image: PortableImage,
  volumeBytes: number,
): Promise<Parameters<typeof requireSpace>[0]> {
  const { codec, alsoWrittenTo } = request
  let heldContent = 0
  let heldBlobs = 0
  for (const diffId of new Set(image.diffIds ?? [])) {
    const layer = await store.findLayer(diffId, codec)
    heldContent += layer?.contentBytes ?? 0
    heldBlobs += layer?.size ?? 0
  }
  const missing = Math.max(0, image.bytes + volumeBytes - heldContent) * USUAL_RATIO[codec]
  return [
    { folder: store.dir, bytes: missing },
    ...alsoWrittenTo.map((folder) => ({ folder, bytes: missing + heldBlobs })),
  ]
}
