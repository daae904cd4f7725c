import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeLayoutOfLayers } from '../../src-main/backends/macos-container/layout-file.ts'
import { readSavedImage } from '../../src-main/backends/macos-container/saved-image.ts'
import type { LayerFile } from '../../src-main/backends/portable.ts'
import type { ContainerWorld } from './container-double.ts'
import { type ImageRunConfig, MACHINE_ARCHITECTURE } from './doubles/lib/image-archive.ts'

const platform = { os: 'linux', architecture: MACHINE_ARCHITECTURE }
const never = new AbortController().signal

/** Loads an image of the world's own one with another config and further layers (tars). */
export async function loadLayers(
  world: ContainerWorld,
  image: { readonly reference: string; readonly config: ImageRunConfig; readonly layers: readonly Buffer[] },
): Promise<void> {
  const base = join(world.double.dir, 'base.tar')
  const made = join(world.double.dir, 'made.tar')
  world.must(['image', 'save', '--output', base, world.image])
  const saved = await readSavedImage(base, platform)
  const own = image.layers.map((tar): LayerFile => {
    return {
      diffId: `sha256:${createHash('sha256').update(tar).digest('hex')}`,
      bytes: tar.length,
      open: async function* () {
        yield tar
      },
    }
  })
  const layers = [...saved.layers.map((layer) => ({ ...layer, bytes: layer.bytes ?? 0 })), ...own]
  const config = JSON.stringify({
    ...platform,
    created: '2026-01-01T00:00:00Z',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  })
  const request = {
    reference: image.reference,
    platform,
    config,
    layers: layers.map(({ diffId, bytes }) => ({ digest: diffId, bytes })),
  }
  await rm(made, { force: true })
  await writeLayoutOfLayers(made, layers, request, () => {}, never)
  world.must(['image', 'load', '--input', made])
}
