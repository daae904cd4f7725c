import type { SnapshotDiff } from '../../src-preload/contract/artifacts.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import { createStore, type Store } from '../state/create-store.ts'

/** Two moments of a bottle; null is the bottle as it is now. */
export interface Comparison {
  readonly slug: string
  readonly from: string | null
  readonly to: string | null
}

export interface DiffState {
  readonly diff: SnapshotDiff | null
  readonly failure: Failure | null
  readonly isReading: boolean
}

/** Differences that were asked for, so that a glance at another tab costs nothing. */
export interface DiffCache {
  readonly store: Store<ReadonlyMap<string, DiffState>>
  load(comparison: Comparison): Promise<void>
}

const KEPT = 10

/** Names a comparison. */
export function comparisonKey({ slug, from, to }: Comparison): string {
  return `${slug} ${from ?? 'now'} ${to ?? 'now'}`
}

/** Makes the cache; it keeps the comparisons looked at last. */
export function createDiffCache(bridge: IceboxBridge): DiffCache {
  const store = createStore<ReadonlyMap<string, DiffState>>(new Map())
  const put = (key: string, state: DiffState) =>
    store.update((now) => {
      const next = new Map(now)
      next.delete(key)
      next.set(key, state)
      for (const oldest of next.keys()) {
        if (next.size <= KEPT) break
        next.delete(oldest)
      }
      return next
    })
  return {
    store,
    async load(comparison) {
      const key = comparisonKey(comparison)
      const before = store.get().get(key)
      if (before?.isReading) return
      put(key, { diff: before?.diff ?? null, failure: null, isReading: true })
      const { slug, from, to } = comparison
      const result = await bridge.call('snapshot:diff', {
        from: { slug, snapshot: from },
        to: { slug, snapshot: to },
      })
      put(
        key,
        result.ok
          ? { diff: result.value, failure: null, isReading: false }
          : { diff: null, failure: result.error, isReading: false },
      )
    },
  }
}
