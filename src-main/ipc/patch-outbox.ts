import type { StatePatch } from '../../src-preload/contract/index.ts'
import type { StateChange } from './state-diff.ts'

/** Collects changes and sends them as numbered patches. */
export interface PatchOutbox {
  /** The number of the last patch sent; a snapshot taken now carries it. */
  revision(): number
  add(changes: readonly StateChange[]): void
  subscribe(listener: (patch: StatePatch) => void): () => void
  close(): void
}

/**
 * The first change leaves at once, further ones at most every `intervalMs`, the newest value of a row only.
 * Patches leave from a timer, never inside the caller's turn: a snapshot answered in that turn keeps its place.
 */
export function createPatchOutbox(intervalMs = 16): PatchOutbox {
  const listeners = new Set<(patch: StatePatch) => void>()
  const pending = new Map<string, StateChange>()
  let revision = 0
  let lastSent = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  const send = (): void => {
    timer = undefined
    lastSent = performance.now()
    revision += 1
    const patch: StatePatch = { revision, changes: [...pending.values()] }
    pending.clear()
    for (const listener of listeners) listener(patch)
  }

  return {
    revision: () => revision,
    add(changes) {
      if (changes.length === 0) return
      for (const change of changes) pending.set(`${change.entity} ${change.key}`, change)
      timer ??= setTimeout(send, Math.max(0, lastSent + intervalMs - performance.now()))
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
