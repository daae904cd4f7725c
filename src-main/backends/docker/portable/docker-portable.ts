import { bottleError } from '../../../system/bottle-error.ts'
import type { Portable } from '../../portable.ts'
import type { Engine } from '../engine.ts'

/** How snapshots leave a Docker daemon and enter it. `home` is the folder of the state root. */
export function dockerPortable(_engine: Engine, _home: string): Portable {
  const notYet = async () => {
    throw bottleError('unsupported')
  }
  return {
    describe: notYet,
    readLayers: notYet,
    heldLayers: notYet,
    load: notYet,
    boot: notYet,
    sizes: notYet,
  }
}
