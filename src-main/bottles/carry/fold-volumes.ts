import { packLayer } from '../../artifacts/export/pack-layer.ts'
import type { StoredLayer, StoredVolume } from '../../artifacts/store/types.ts'
import { bottleError } from '../../system/bottle-error.ts'
import { plainPath, type Relocation, relocateLayer } from '../../workers/tar/relocate.ts'
import type { PassingTools } from './passing-tools.ts'

/** Volumes as layers, for a backend that has none: each a plain folder where the volume was mounted. */
export async function foldVolumes(
  tools: PassingTools,
  volumes: readonly StoredVolume[],
  signal: AbortSignal,
): Promise<readonly StoredLayer[]> {
  const layers: StoredLayer[] = []
  for (const volume of volumes) {
    const open = () => tools.workers.unpack(tools.store.blobPath(volume.digest), volume.codec, signal)
    const content = relocateLayer(open, toDestination(volume.destination), signal)
    const { layer } = await packLayer(tools, content, () => true, signal)
    if (!layer) throw bottleError('internal', `The volume ${volume.destination} was not packed.`)
    layers.push(layer)
  }
  return layers
}

/** A volume's tar has one top folder, which is the mount point; nothing of the image shows through it. Pure. */
export function toDestination(destination: string): Relocation {
  const target = plainPath(destination)
  return {
    place(path) {
      const slash = path.indexOf('/')
      return slash < 0 ? target : `${target}${path.slice(slash)}`
    },
    marks: () => [],
    opaque: new Set([target]),
  }
}
