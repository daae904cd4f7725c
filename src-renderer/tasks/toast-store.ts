import { createStore, type Store } from '../state/create-store.ts'

export interface ToastAction {
  readonly label: string
  readonly run: () => void
}

export interface Toast {
  readonly id: number
  readonly tone: 'good' | 'ice' | 'bad' | 'plain'
  readonly title: string
  readonly text: string
  /** The engine's own words, shown on demand. */
  readonly detail: string | null
  readonly actions: readonly ToastAction[]
}

export interface ToastStore {
  readonly store: Store<readonly Toast[]>
  add(toast: Omit<Toast, 'id'>): number
  remove(id: number): void
}

const MOST = 3

/** Toasts, oldest first; the oldest give way when there are too many. */
export function createToastStore(): ToastStore {
  const store = createStore<readonly Toast[]>([])
  let lastId = 0
  return {
    store,
    add(toast) {
      const id = ++lastId
      store.update((now) => [...now, { ...toast, id }].slice(-MOST))
      return id
    },
    remove(id) {
      store.update((now) =>
        now.some((toast) => toast.id === id) ? now.filter((toast) => toast.id !== id) : now,
      )
    },
  }
}
