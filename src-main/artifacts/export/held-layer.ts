import { rm } from 'node:fs/promises'
import { isBottleError } from '../../system/bottle-error.ts'
import type { StoredLayer } from '../store/types.ts'
import { type PackTools, packLayer } from './pack-layer.ts'

/**
 * A layer that the store has already, as our own packer makes it: the blob itself when it is sound, or its content
 * packed again when only another codec's or another program's blob is there. Null when the engine must be asked.
 */
export async function heldLayer(
  tools: PackTools,
  diffId: string,
  signal: AbortSignal,
): Promise<StoredLayer | null> {
  const { store, codec } = tools
  const own = await store.findLayer(diffId, codec)
  if (own?.isCanonical) {
    const isSound = await isAsNamed(tools, own, signal)
    if (isSound) tools.onBytes(own.contentBytes)
    return isSound ? own : null
  }
  const other = own ?? (await store.findAnyLayer(diffId))
  return other ? repacked(tools, other, signal) : null
}

/** A disk may spoil what lies on it for months; a spoilt blob is removed and had from the engine again. */
async function isAsNamed(tools: PackTools, layer: StoredLayer, signal: AbortSignal): Promise<boolean> {
  const file = tools.store.blobPath(layer.digest)
  const { digest, bytes } = await tools.workers.hash(file, signal)
  if (digest === layer.digest && bytes === layer.size) return true
  await rm(file, { force: true })
  return false
}

async function repacked(
  tools: PackTools,
  other: StoredLayer,
  signal: AbortSignal,
): Promise<StoredLayer | null> {
  try {
    const content = tools.workers.unpack(tools.store.blobPath(other.digest), other.codec, signal)
    return (await packLayer(tools, content, (digest) => digest === other.diffId, signal)).layer
  } catch (error) {
    // A blob that can't be read is as good as none, unless the engine lacks the layer too, which it will say.
    if (isBottleError(error) && error.code === 'artifact-invalid') return null
    throw error
  }
}
