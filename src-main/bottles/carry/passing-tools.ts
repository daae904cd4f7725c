import type { PackTools } from '../../artifacts/export/pack-layer.ts'
import type { StoredLayer } from '../../artifacts/store/types.ts'
import type { LayerFile } from '../../backends/portable.ts'
import type { Workers } from '../../workers/types.ts'
import type { ArtifactDeps } from '../artifact-deps.ts'
import type { CollectedTools } from '../collect-bottle.ts'
import type { OperationContext } from '../services.ts'

/** Quick, and small for what is mostly zeros; nobody but this machine reads it. */
export const PASSING_CODEC = 'zstd'

/** What layers on their way from one backend to another are packed with. */
export interface PassingTools extends PackTools {
  readonly workers: Workers
}

/** Runs with tools whose blobs go again at the end, however it ends. */
export async function withPassingTools<T>(
  deps: ArtifactDeps,
  context: OperationContext,
  use: (tools: PassingTools) => Promise<T>,
): Promise<T> {
  const [store, workers] = await Promise.all([deps.store(), deps.workers()])
  const staging = await store.stage('carry')
  const adopted = new Set<string>()
  try {
    return await use(toolsOf({ store, staging, takeBack: (digest) => adopted.add(digest) }, workers, context))
  } finally {
    await staging.release()
    await store.collect({ dryRun: false, only: adopted }, new AbortController().signal)
  }
}

/** The same tools inside of a collection. */
export function toolsOf(
  { store, staging, takeBack }: CollectedTools,
  workers: Workers,
  context: OperationContext,
): PassingTools {
  let current = 0
  return {
    store,
    staging,
    workers,
    codec: PASSING_CODEC,
    onAdopted: takeBack,
    onBytes: (bytes) => {
      current += bytes
      context.progress({ phase: 'carrying', current, total: null })
    },
  }
}

/** Layers of the store as an engine takes them. */
export function layerFilesOf(
  layers: readonly StoredLayer[],
  { store, workers }: PassingTools,
): ReadonlyMap<string, LayerFile> {
  return new Map(
    layers.map(({ diffId, contentBytes, codec, digest }) => [
      diffId,
      {
        diffId,
        bytes: contentBytes,
        open: (signal) => workers.unpack(store.blobPath(digest), codec, signal),
      },
    ]),
  )
}
