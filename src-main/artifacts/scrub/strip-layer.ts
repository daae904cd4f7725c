import { bottleError } from '../../system/bottle-error.ts'
import { packLayer } from '../export/pack-layer.ts'
import type { Staging, StoredLayer } from '../store/types.ts'
import { makeNeedles } from './finder.ts'
import { type SearchTools, searchTar } from './layer-search.ts'
import { stripTar } from './strip-tar.ts'
import { createTarWatch } from './tar-watch.ts'

export interface StripTools extends SearchTools {
  readonly staging: Staging
  readonly onAdopted: (digest: string) => void
}

/**
 * Rebuilds a layer without the secrets in it and puts it into the store; the new bytes are searched again on their
 * way. The old blob stays, since other snapshots use it.
 * @throws BottleError `internal` when something is still found
 */
export async function stripLayer<T extends StoredLayer>(
  tools: StripTools,
  layer: T,
  signal: AbortSignal,
): Promise<T> {
  const { store, workers, values, staging, onAdopted } = tools
  const { edits } = await searchTar(tools, layer, true, signal)
  const proof = createTarWatch(makeNeedles(values, true), true)
  const content = workers.unpack(store.blobPath(layer.digest), layer.codec, signal)
  const stripped = watched(stripTar(content, edits), proof.push)
  const packTools = { store, workers, staging, codec: layer.codec, onAdopted, onBytes: () => undefined }
  const { layer: packed } = await packLayer(packTools, stripped, () => true, signal)
  const left = proof.finish().findings
  if (!packed || left.length > 0) {
    const first = left[0] ? `${left[0].path} (${left[0].rule})` : 'a layer'
    throw bottleError('internal', `A secret could not be stripped: ${first}. Nothing was written.`)
  }
  return { ...layer, ...packed }
}

async function* watched(
  content: AsyncIterable<Uint8Array>,
  see: (chunk: Uint8Array) => void,
): AsyncIterable<Uint8Array> {
  for await (const chunk of content) {
    see(chunk)
    yield chunk
  }
}
