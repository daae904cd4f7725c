import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const EVERY_BYTES = 4 << 20

/** Bytes of chunks above those that were in use after the last full collection. */
const MOST_GROWN = 12 << 20

type Collect = (options: { readonly type: 'minor' | 'major' }) => void
let collect: Collect | null | undefined

/** The engine's own function, which is only handed out to code that asks for it by a flag; null if it is not had. */
function findCollector(): Collect | null {
  try {
    setFlagsFromString('--expose-gc')
    const found: unknown = runInNewContext('gc')
    setFlagsFromString('--no-expose-gc')
    return typeof found === 'function' ? (found as Collect) : null
  } catch {
    return null
  }
}

/**
 * Counts bytes that pass through this thread and collects young garbage, some milliseconds per 16 MB. The chunks of a
 * stream lie outside the heap, and without this they stay until they are 64 MB. On a busy machine chunks live long
 * enough to count as old, so when they have grown all the same, everything is collected.
 */
export function createSweeper(): (bytes: number) => void {
  let passed = 0
  let least = process.memoryUsage().arrayBuffers
  return (bytes) => {
    passed += bytes
    if (passed < EVERY_BYTES) return
    passed = 0
    collect ??= findCollector()
    collect?.({ type: 'minor' })
    const { arrayBuffers } = process.memoryUsage()
    if (arrayBuffers <= least + MOST_GROWN) {
      least = Math.min(least, arrayBuffers)
      return
    }
    collect?.({ type: 'major' })
    least = process.memoryUsage().arrayBuffers
  }
}
