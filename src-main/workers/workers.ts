import { availableParallelism } from 'node:os'
import { bottleError } from '../system/bottle-error.ts'
import { pack } from './pack.ts'
import { createPool } from './pool.ts'
import { createSlotMemory } from './slots.ts'
import type { Workers } from './types.ts'
import { skim, unpack } from './unpack.ts'

/** More are not kept busy by one stream, whose hash takes one thread, and each costs memory. */
const MOST_THREADS = 4
/** Blocks of a stream beyond those being compressed: the one being filled or written. */
const SPARE_BLOCKS = 1

/** The worker threads of this process. None is started before the first job; none keeps the process alive idle. */
export function createWorkers(): Workers {
  const cores = Math.max(1, Math.min(availableParallelism(), MOST_THREADS))
  const blocks = cores + SPARE_BLOCKS
  const memory = createSlotMemory(blocks)
  const packers = createPool(1, { onIdle: memory.drop })
  const readers = createPool(cores)
  // A thread is a dozen megabytes, and the packing one has nothing to do most of the time.
  const reader = () => (packers.isFree() ? packers : readers).pick()
  return {
    async pack(content, codec, sink, signal) {
      if (signal.aborted) throw bottleError('cancelled')
      return pack({ packers, memory, blocks }, content, codec, sink, signal)
    },
    scan: async (file, options, signal) => reader().call('scan', { file, options }, { signal }).result,
    unpack: (file, codec, signal) => unpack(reader(), file, codec, signal),
    skim: (file, codec, signal) => skim(reader(), file, codec, signal),
    warm: () => void reader(),
    hash: async (file, signal) => reader().call('hash', { file }, { signal }).result,
  }
}
