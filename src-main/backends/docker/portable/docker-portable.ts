import type { Portable } from '../../portable.ts'
import type { Engine } from '../engine.ts'

/** How snapshots leave a Docker daemon and enter it. `home` is the folder of the state root. */
export function dockerPortable(engine: Engine, rootId: string, home: string): Portable {
  return {
    describe: async (snapshot, signal) =>
      (await import('./describe.ts')).describeSnapshot(engine, snapshot, signal),
    readLayers: async (snapshot, wanted, take, signal) =>
      (await import('./read-layers.ts')).readSnapshotLayers(engine, rootId, snapshot, wanted, take, signal),
    heldLayers: async (diffIds, signal) =>
      (await import('./describe.ts')).countHeldLayers(engine, diffIds, signal),
    load: async (request, progress, signal) =>
      (await import('./load.ts')).loadSnapshot(engine, request, progress, signal),
    base: async (plan, progress, signal) =>
      (await import('./base-image.ts')).baseImage(engine, plan, progress, signal),
    boot: async (request, signal) => (await import('./boot.ts')).bootSnapshot(engine, home, request, signal),
    sizes: async (snapshots, signal) =>
      (await import('./sizes.ts')).sizesOfSnapshots(engine, snapshots, signal),
    differences: async (ref, snapshot, signal) =>
      (await import('./differences.ts')).differencesSince(engine, ref, snapshot, signal),
    changesSinceLaunch: async (ref, signal) =>
      (await import('./differences.ts')).changesSinceLaunch(engine, ref, signal),
  }
}
