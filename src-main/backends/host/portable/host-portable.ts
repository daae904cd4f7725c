import type { Snapshot } from '../../../../src-preload/contract/index.ts'
import type { LayerSizes, LayerStream, Portable, PortableImage } from '../../portable.ts'
import type { HostContext } from '../host-context.ts'
import { requireSnapshotTrees } from '../live-trees.ts'
import { readManifest } from '../snapshot-trees.ts'
import { bootSnapshot } from './boot-snapshot.ts'
import { differencesOf } from './differences.ts'
import { IMAGE_HOME, IMAGE_WORKSPACE } from './image-paths.ts'
import { loadSnapshot } from './load-snapshot.ts'
import { estimateBytes, packTrees } from './pack-trees.ts'
import { platformOf } from './platform.ts'
import { findTar } from './tar-program.ts'

/**
 * How snapshots of host bottles leave this machine and come back: as an image of one layer, which holds the two trees
 * where a container has its working folder and its home.
 */
export function hostPortable(context: HostContext): Portable {
  return {
    describe: (snapshot) => describe(context, snapshot),
    readLayers: async (snapshot, _wanted, take, signal) => {
      // Its digest is known only at its end, so it is always offered.
      return [await take(await layerOf(context, snapshot, signal))]
    },
    heldLayers: async () => 0,
    load: (request, progress, signal) => loadSnapshot(context, request, progress, signal),
    boot: (request, signal) => bootSnapshot(context, request, signal),
    sizes: (snapshots) => Promise.all(snapshots.map((snapshot) => sizesOf(context, snapshot))),
    differences: (ref, snapshot, signal) => differencesOf(context, ref, snapshot, signal),
  }
}

async function describe(context: HostContext, snapshot: Snapshot): Promise<PortableImage> {
  const path = await requireSnapshotTrees(context.home, snapshot)
  const manifest = await readManifest(path)
  return {
    platform: platformOf(process.arch),
    config: { WorkingDir: IMAGE_WORKSPACE, Env: [`HOME=${IMAGE_HOME}`] },
    createdAt: snapshot.createdAt,
    diffIds: null,
    baseLayers: 0,
    bytes: manifest ? estimateBytes(manifest.entries, manifest.diskBytes) : snapshot.bytes,
  }
}

async function layerOf(context: HostContext, snapshot: Snapshot, signal: AbortSignal): Promise<LayerStream> {
  const path = await requireSnapshotTrees(context.home, snapshot)
  const program = await findTar(context.env)
  return { index: 0, bytes: null, content: packTrees(path, program, signal) }
}

/** Blocks that copies share with each other can't be told apart from own ones, so each snapshot counts whole. */
async function sizesOf(context: HostContext, snapshot: Snapshot): Promise<LayerSizes> {
  const path = await requireSnapshotTrees(context.home, snapshot).catch(() => null)
  const manifest = path === null ? null : await readManifest(path)
  // Lost trees take no space.
  const bytes = path === null ? 0 : (manifest?.diskBytes ?? snapshot.bytes)
  return {
    snapshotId: snapshot.id,
    layers: [{ key: `host:${snapshot.slug}@${snapshot.id}`, bytes }],
    usedElsewhere: [],
  }
}
