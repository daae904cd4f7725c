import { useEffect } from 'react'
import type { Bottle, BottleDetail } from '../../src-preload/contract/entities.ts'
import type { Failure } from '../../src-preload/contract/errors.ts'
import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import { useApp } from './app.ts'
import { createStore, type Store, useStore } from './create-store.ts'

export interface DetailEntry {
  readonly detail: BottleDetail | null
  readonly failure: Failure | null
}

/** Details of bottles, read when somebody looks and again when their row changed. */
export interface DetailCache {
  readonly store: Store<ReadonlyMap<string, DetailEntry>>
  load(slug: string): Promise<void>
}

const KEPT = 40

/** Makes the cache; it keeps the details looked at last. */
export function createDetailCache(bridge: IceboxBridge): DetailCache {
  const store = createStore<ReadonlyMap<string, DetailEntry>>(new Map())
  const latest = new Map<string, number>()
  let count = 0
  return {
    store,
    async load(slug) {
      const ticket = ++count
      latest.set(slug, ticket)
      const result = await bridge.call('bottle:detail', { slug })
      // A slower, older answer must not replace a newer one.
      if (latest.get(slug) !== ticket) return
      store.update((now) => {
        const next = new Map(now)
        const old = next.get(slug)
        next.delete(slug)
        next.set(
          slug,
          result.ok
            ? { detail: result.value, failure: null }
            : { detail: old?.detail ?? null, failure: result.error },
        )
        for (const oldest of next.keys()) {
          if (next.size <= KEPT) break
          next.delete(oldest)
        }
        return next
      })
    },
  }
}

const SETTLE = 60

/** The detail of a bottle, kept fresh while the caller is shown. */
export function useDetail(bottle: Bottle): DetailEntry | undefined {
  const { details } = useApp()
  const { slug } = bottle
  // biome-ignore lint/correctness/useExhaustiveDependencies: a changed row is exactly what asks for a new read
  useEffect(() => {
    const isFirst = !details.store.get().has(slug)
    const timer = setTimeout(() => void details.load(slug), isFirst ? 0 : SETTLE)
    return () => clearTimeout(timer)
  }, [details, slug, bottle])
  return useStore(details.store, (all) => all.get(slug))
}
