import type { Portable } from '../../portable.ts'
import type { ContainerClient } from '../client.ts'

/** How snapshots leave Apple's container and enter it. `home` is the folder of the state root. */
export function macosPortable(context: {
  readonly client: ContainerClient
  readonly home: string
  readonly rootId: string
}): Portable {
  const { client, home } = context
  return {
    describe: async (snapshot, signal) =>
      (await import('./describe.ts')).describeSnapshot(client, home, snapshot, signal),
    readLayers: async (snapshot, wanted, take, signal) =>
      (await import('./read-layers.ts')).readSnapshotLayers(client, home, snapshot, wanted, take, signal),
    // A layout has to hold every layer that it names, so what the engine has is of no use to it.
    heldLayers: async () => 0,
    load: async (request, progress, signal) =>
      (await import('./load.ts')).loadSnapshot(client, home, request, progress, signal),
    boot: async (request, signal) => (await import('./boot.ts')).bootSnapshot(client, home, request, signal),
    sizes: async (snapshots, signal) =>
      (await import('./sizes.ts')).sizesOfSnapshots(client, snapshots, signal),
  }
}
