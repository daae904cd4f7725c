import { availableParallelism } from 'node:os'
import { bottleError } from '../system/bottle-error.ts'
import { pack } from './pack.ts'
import { createPool } from './pool.ts'
import { createSlotMemory } from './slots.ts'
import type { Workers } from './types.ts'
import { unpack } from './unpack.ts'

/** More would not be kept busy by one stream, and each costs memory. */
const MOST_THREADS = 6

/** The worker threads of this process. None is started before the first job; none keeps the process alive idle. */
export function createWorkers(): Workers {
  const cores = Math.max(1, Math.min(availableParallelism(), MOST_THREADS))
  const memory = createSlotMemory(cores + 2)
  const threads = createPool(cores, { onIdle: memory.drop })
  const hasher = createPool(1)
  return {
    async pack(content, codec, sink, signal) {
      if (signal.aborted) throw bottleError('cancelled')
      return pack({ compressors: threads, hasher, memory }, content, codec, sink, signal)
    },
    scan: async (file, options, signal) => threads.pick().call('scan', { file, options }, { signal }).result,
    unpack: (file, codec, signal) => unpack(threads, file, codec, signal),
    hash: async (file, signal) => threads.pick().call('hash', { file }, { signal }).result,
  }
}
