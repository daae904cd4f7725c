import { lstat } from 'node:fs/promises'
import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import { runConfig } from '../../images/run-config.ts'
import type { LayerSizes, Platform, PortableImage } from '../../portable.ts'
import { requireArtifact } from '../capture-files.ts'
import type { FreezerTools } from '../capture-scene.ts'
import { sourceOf } from '../capture-source.ts'
import { guestPartsOf } from '../guest-tar-fill.ts'
import { imageConfig } from '../pack.ts'
import { readPack } from '../pack-file.ts'
import { readImageFile } from './image-file.ts'

/** A snapshot's image as other engines know it. @throws BottleError `snapshot-missing` */
export async function describeSnapshot(
  tools: Pick<FreezerTools, 'home'>,
  snapshot: Snapshot,
): Promise<PortableImage> {
  const file = await requireArtifact(tools.home, snapshot)
  const { facts } = snapshot
  if (sourceOf(file).kind === 'archive') {
    const image = await readImageFile(file)
    return {
      platform: image.platform,
      config: image.config,
      createdAt: snapshot.createdAt,
      diffIds: image.diffIds,
      baseLayers: typeof facts.baseLayers === 'number' ? Math.min(facts.baseLayers, image.diffIds.length) : 0,
      bytes: image.layers.reduce((sum, layer) => sum + layer.bytes, 0),
    }
  }
  const { manifest } = await readPack(file)
  const platform = manifest.platform.architecture ? manifest.platform : (facts.platform as Platform)
  return {
    platform,
    // What was known at the freeze has what a pack forgets.
    config: imageConfig(runConfig(facts.config as object | undefined), manifest.config),
    createdAt: snapshot.createdAt,
    // Its files become a layer only on their way out.
    diffIds: null,
    baseLayers: 0,
    bytes: snapshot.bytes,
  }
}

/** No file shares anything with another one. */
export async function sizesOfSnapshots(
  tools: Pick<FreezerTools, 'home'>,
  snapshots: readonly Snapshot[],
): Promise<readonly LayerSizes[]> {
  return Promise.all(
    snapshots.map(async (snapshot) => {
      const file = await requireArtifact(tools.home, snapshot).catch(() => null)
      const paths = file === null ? [] : [file, ...guestPartsOf(tools.home, snapshot).map(({ path }) => path)]
      const found = await Promise.all(paths.map((path) => lstat(path).catch(() => null)))
      const bytes = found.reduce((sum, each) => sum + (each?.size ?? 0), 0)
      return {
        snapshotId: snapshot.id,
        layers: [{ key: `smolmachines:${snapshot.slug}@${snapshot.id}`, bytes }],
        usedElsewhere: [],
      }
    }),
  )
}
