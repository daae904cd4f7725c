import type { Portable } from '../../portable.ts'
import type { FreezerTools } from '../capture-scene.ts'

/** How snapshots of machines leave this machine and come in. */
export function smolPortable(tools: FreezerTools): Portable {
  return {
    describe: async (snapshot) => (await import('./describe.ts')).describeSnapshot(tools, snapshot),
    readLayers: async (snapshot, wanted, take, signal) =>
      (await import('./read-layers.ts')).readSnapshotLayers(tools, snapshot, wanted, take, signal),
    // Every archive has all of its layers, and no other one can use them.
    heldLayers: async () => 0,
    load: async (request, progress, signal) =>
      (await import('./load.ts')).loadSnapshot(tools, request, progress, signal),
    adopt: async (request, progress, signal) =>
      (await import('./adopt-file.ts')).adoptFile(tools, request, progress, signal),
    boot: async (request, signal) => (await import('./boot.ts')).bootSnapshot(tools, request, signal),
    sizes: async (snapshots) => (await import('./describe.ts')).sizesOfSnapshots(tools, snapshots),
  }
}
