import { bottleError } from '../../../system/bottle-error.ts'
import type { Portable } from '../../portable.ts'
import type { Engine } from '../engine.ts'

/** How snapshots leave a Docker daemon and enter it. `home` is the folder of the state root. */
export function dockerPortable(engine: Engine, rootId: string, _home: string): Portable {
  const notYet = async () => {
    throw bottleError('unsupported')
  }
  return {
    describe: async (snapshot, signal) =>
      (await import('./describe.ts')).describeSnapshot(engine, snapshot, signal),
    readLayers: async (snapshot, wanted, take, signal) =>
      (await import('./read-layers.ts')).readSnapshotLayers(engine, rootId, snapshot, wanted, take, signal),
    heldLayers: async (diffIds, signal) =>
      (await import('./describe.ts')).countHeldLayers(engine, diffIds, signal),
    load: notYet,
    boot: notYet,
    sizes: notYet,
  }
}
