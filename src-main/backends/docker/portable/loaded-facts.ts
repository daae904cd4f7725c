import type { ImageInspectInfo } from 'dockerode'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import type { Engine } from '../engine.ts'
import { imageFacts } from '../image-source.ts'
import { layerBytesOf } from './layer-bytes.ts'

/** True of the container that was frozen elsewhere, and of nothing here. */
const OF_THE_CONTAINER = ['containerId', 'containerFinishedAt', 'changesFingerprint', 'pausedMs']

/** What the record of a loaded snapshot says of its image. @throws BottleError */
export async function loadedFacts(
  engine: Engine,
  snapshot: Snapshot,
  found: ImageInspectInfo,
  reference: string,
  signal: AbortSignal,
): Promise<Pick<Snapshot, 'reference' | 'digest' | 'bytes' | 'ownBytes' | 'facts'>> {
  const image = imageFacts(reference, found)
  const parts = snapshot.volumes.reduce((sum, part) => sum + part.bytes, 0)
  const diffIds = found.RootFS?.Layers ?? []
  const sizes = await layerBytesOf(engine, { id: found.Id, diffIds, bytes: found.Size }, signal)
  const told = snapshot.facts.baseLayers
  const baseLayers =
    typeof told === 'number' && Number.isInteger(told) && told >= 0 && told <= diffIds.length ? told : null
  const baseBytes =
    baseLayers === null ? null : sizes.slice(0, baseLayers).reduce((sum, size) => sum + size, 0)
  const { hasShell, homeKey } = snapshot.facts
  const kept = Object.entries(snapshot.facts).filter(([name]) => !OF_THE_CONTAINER.includes(name))
  return {
    reference,
    digest: found.Id,
    bytes: found.Size + parts,
    ownBytes: baseBytes === null ? null : found.Size - baseBytes + parts,
    facts: {
      ...Object.fromEntries(kept),
      hasShell: typeof hasShell === 'boolean' ? hasShell : null,
      homeKey: typeof homeKey === 'string' ? homeKey : null,
      baseEntrypoint: image.entrypoint,
      baseCmd: image.cmd,
      baseWorkdir: image.workdir,
      baseUser: image.user,
      baseBytes,
      baseLayers,
      layers: image.layers,
    },
  }
}
