import { useSyncExternalStore } from 'react'

/** A value outside of React that tells when it was replaced. */
export interface Store<T> {
  get(): T
  /** Replaces the value; the same reference is no change and tells nobody. */
  set(next: T): void
  update(change: (now: T) => T): void
  subscribe(listener: () => void): () => void
}

/** Makes a store that starts with a value. */
export function createStore<T>(initial: T): Store<T> {
  let value = initial
  const listeners = new Set<() => void>()
  const set = (next: T) => {
    if (Object.is(next, value)) return
    value = next
    for (const listener of [...listeners]) listener()
  }
  return {
    get: () => value,
    set,
    update: (change) => set(change(value)),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/**
 * Reads part of a store. The selector must return something that keeps its identity while nothing changed:
 * a primitive or a piece of the state itself.
 */
export function useStore<T, S>(store: Store<T>, select: (value: T) => S): S {
  const read = () => select(store.get())
  return useSyncExternalStore(store.subscribe, read, read)
}
