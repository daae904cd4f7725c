import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import { runConfig } from '../../images/run-config.ts'
import type { PortableImage } from '../../portable.ts'
import type { ContainerClient } from '../client.ts'
import { readImageConfig } from '../image-config.ts'
import { withScratch } from '../scratch.ts'
import { requireImage } from './require-image.ts'

/** A snapshot's image as other engines and archives know it. @throws BottleError `snapshot-missing`, `engine-down` */
export async function describeSnapshot(
  client: ContainerClient,
  home: string,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<PortableImage> {
  const { image, variant } = await requireImage(client, snapshot, signal)
  const name = { reference: image.reference, digest: image.digest, platform: variant.platform }
  const known = await withScratch(home, (dir) => readImageConfig(client, home, name, dir, signal))
  const { baseLayers, layerBytes } = snapshot.facts
  const { diffIds } = variant
  return {
    platform: variant.platform,
    config: runConfig(known?.config ?? variant.config),
    createdAt: isoDate(variant.createdAt) ?? isoDate(snapshot.createdAt) ?? new Date(0).toISOString(),
    diffIds: diffIds.length > 0 ? diffIds : null,
    baseLayers:
      typeof baseLayers === 'number' && Number.isInteger(baseLayers) && baseLayers >= 0
        ? Math.min(baseLayers, diffIds.length)
        : 0,
    bytes: typeof layerBytes === 'number' ? layerBytes : Math.max(snapshot.bytes, variant.bytes),
  }
}

/** To the millisecond, so that it stays the same however often it is read and written. */
function isoDate(text: string | null): string | null {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? null : new Date(time).toISOString()
}
