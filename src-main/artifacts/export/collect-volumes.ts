import { createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { isMissing } from '../../state/durable-file.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { StoredVolume } from '../store/types.ts'
import { heldLayer } from './held-layer.ts'
import { type PackTools, packLayer } from './pack-layer.ts'

const CHUNK_BYTES = 1 << 20

/**
 * Brings the volumes that lie beside a snapshot into the store, in the record's order.
 * @throws BottleError `corrupt-state` when one is missing or is not what was frozen
 */
export async function collectVolumes(
  tools: PackTools,
  snapshot: Snapshot,
  partsDir: string,
  signal: AbortSignal,
): Promise<readonly StoredVolume[]> {
  const stored: StoredVolume[] = []
  for (const { file, sha256, destination } of snapshot.volumes) {
    const diffId = `sha256:${sha256}`
    const layer =
      (await heldLayer(tools, diffId, signal)) ??
      (await packVolume(tools, join(partsDir, file), diffId, signal))
    if (!layer) throw damaged(snapshot, destination, 'is not what was frozen')
    stored.push({ ...layer, destination })
  }
  return stored

  async function packVolume(from: PackTools, path: string, diffId: string, abort: AbortSignal) {
    await access(path).catch((error: unknown) => {
      throw isMissing(error) ? damaged(snapshot, path, 'is missing') : error
    })
    const content = createReadStream(path, { highWaterMark: CHUNK_BYTES })
    try {
      return (await packLayer(from, content, (digest) => digest === diffId, abort)).layer
    } finally {
      content.destroy()
    }
  }
}

function damaged(snapshot: Snapshot, what: string, how: string): Error {
  return bottleError(
    'corrupt-state',
    `The volume ${what} of ${snapshot.slug}@${snapshot.id} ${how}. Its image is untouched; nothing was written.`,
    { slug: snapshot.slug },
  )
}
