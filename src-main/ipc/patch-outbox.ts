import type { StatePatch } from '../../src-preload/contract/index.ts'
import type { StateChange } from './state-diff.ts'

/** Collects changes and sends them as numbered patches. */
export interface PatchOutbox {
  /** The number of the last patch sent; a snapshot taken now carries it. */
  revision(): number
  /** Without a listener nothing is kept: who comes later reads a snapshot. */
  add(changes: readonly StateChange[]): void
  /** Sends now what waits, so that a snapshot taken in this turn and its revision agree. */
  flush(): void
  subscribe(listener: (patch: StatePatch) => void): () => void
  close(): void
}

/**
 * The first change leaves at once, further ones at most every `intervalMs`, the newest value of a row only.
 * But for `flush`, patches leave from a timer: none can slip between a snapshot and its answer.
 */
export function createPatchOutbox(intervalMs = 16): PatchOutbox {
  const listeners = new Set<(patch: StatePatch) => void>()
  const pending = new Map<string, StateChange>()
  let revision = 0
  let lastSent = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  const send = (): void => {
    timer = undefined
    if (pending.size === 0) return
    lastSent = performance.now()
    revision += 1
    const patch: StatePatch = { revision, changes: [...pending.values()] }
    pending.clear()
    for (const listener of listeners) listener(patch)
  }

  return {
    revision: () => revision,
    add(changes) {
      if (changes.length === 0 || listeners.size === 0) return
      for (const change of changes) pending.set(`${change.entity} ${change.key}`, change)
      timer ??= setTimeout(send, Math.max(0, lastSent + intervalMs - performance.now()))
    },
    flush() {
      clearTimeout(timer)
      send()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close() {
      clearTimeout(timer)
      timer = undefined
      listeners.clear()
    },
  }
}
