import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import type { LayerStream } from '../../portable.ts'
import { requireArtifact } from '../capture-files.ts'
import { readGuest } from '../capture-parts.ts'
import { WORKSPACE } from '../capture-ports.ts'
import type { FreezerTools } from '../capture-scene.ts'
import { sourceOf } from '../capture-source.ts'
import { readImageFile, readLayer } from './image-file.ts'
import { withSnapshotMachine } from './snapshot-machine.ts'

type Take = (layer: LayerStream) => Promise<string>

/**
 * Streams a snapshot's layers, see `Portable.readLayers`. An archive has them as they are; a pack's files are read from
 * a machine that is made of it, as one layer. @throws BottleError, and what `take` throws
 */
export async function readSnapshotLayers(
  tools: FreezerTools,
  snapshot: Snapshot,
  wanted: ReadonlySet<string> | null,
  take: Take,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const file = await requireArtifact(tools.home, snapshot)
  if (sourceOf(file).kind === 'archive') return readArchive(file, wanted, take, signal)
  const isVolume = snapshot.volumes.some((part) => part.destination === WORKSPACE)
  return withSnapshotMachine(tools, snapshot, { isFilled: false }, signal, async (machine) => {
    const options = { keepsMarker: false, withWorkspace: !isVolume }
    const { content } = readGuest(tools.machines, machine, options, signal)
    // Its digest is known only at its end, so it is always offered.
    return [await take({ index: 0, bytes: null, content })]
  })
}

async function readArchive(
  file: string,
  wanted: ReadonlySet<string> | null,
  take: Take,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { diffIds, layers } = await readImageFile(file)
  const taken = new Set<string>()
  for (const [index, place] of layers.entries()) {
    const diffId = diffIds[index] ?? ''
    if (taken.has(diffId) || (wanted && !wanted.has(diffId))) continue
    taken.add(diffId)
    await take({ index, bytes: place.bytes, content: readLayer(file, place, signal) })
  }
  return diffIds
}
