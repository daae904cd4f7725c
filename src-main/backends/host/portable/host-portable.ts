import { bottleError } from '../../../system/bottle-error.ts'
import type { Portable } from '../../portable.ts'
import type { HostContext } from '../host-context.ts'

/** How snapshots of host bottles leave this machine as images and come back. */
export function hostPortable(_context: HostContext): Portable {
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
