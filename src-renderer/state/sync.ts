import type { StatePatch } from '../../src-preload/contract/entities.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import type { Store } from './create-store.ts'
import { applyPatches, type Model, modelOf } from './model.ts'

/** How the page stands with the process that it shows. */
export interface Link {
  readonly isConnected: boolean
  /** When the connection was lost; null while it is there. */
  readonly lostAt: number | null
  /** Why state could not be read at all. */
  readonly failure: Failure | null
}

/** Patches are gathered for at most this many milliseconds; the first of a burst is applied at once. */
const FRAME = 16
const RETRY = 1500

/**
 * Keeps the model in step: reads the state once, applies numbered patches, reads anew after a gap or a lost
 * connection. Returns a function that ends it.
 */
export function startSync(bridge: IceboxBridge, model: Store<Model>, link: Store<Link>): () => void {
  let queue: StatePatch[] = []
  let flushTimer: ReturnType<typeof setTimeout> | undefined
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let lastFlush = 0
  let isReading = false
  let mustReadAgain = false
  let isOver = false

  const flush = () => {
    flushTimer = undefined
    lastFlush = performance.now()
    if (isReading || !model.get().isLoaded) return
    const patches = queue
    queue = []
    const applied = applyPatches(model.get(), patches)
    model.set(applied.model)
    if (applied.hasGap) void read()
  }

  const schedule = () => {
    if (flushTimer !== undefined) return
    const wait = Math.max(0, FRAME - (performance.now() - lastFlush))
    if (wait === 0) flush()
    else flushTimer = setTimeout(flush, wait)
  }

  const read = async (): Promise<void> => {
    if (isReading) {
      mustReadAgain = true
      return
    }
    isReading = true
    clearTimeout(retryTimer)
    const result = await bridge.call('state:snapshot', {})
    isReading = false
    if (isOver) return
    if (result.ok) {
      model.set(modelOf(result.value, model.get()))
      link.update((now) => (now.failure ? { ...now, failure: null } : now))
      flush()
    } else {
      link.update((now) => ({ ...now, failure: result.error }))
      retryTimer = setTimeout(() => void read(), RETRY)
    }
    if (mustReadAgain) {
      mustReadAgain = false
      void read()
    }
  }

  const stopPatches = bridge.on('state:patch', (patch) => {
    queue.push(patch)
    schedule()
  })
  const stopConnection = bridge.onConnection((isConnected) => {
    link.update((now) => ({ ...now, isConnected, lostAt: isConnected ? null : (now.lostAt ?? Date.now()) }))
    if (isConnected) void read()
  })
  void read()
  return () => {
    isOver = true
    clearTimeout(flushTimer)
    clearTimeout(retryTimer)
    stopPatches()
    stopConnection()
  }
}
