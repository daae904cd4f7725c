import { createContext, useCallback, useContext } from 'react'
import type { IceboxBridge } from '../../src-preload/contract/wire.ts'
import type { DragOut } from '../artifacts/drag-out.ts'
import type { FileTransfer } from '../artifacts/file-transfer.ts'
import type { DiffCache } from '../changes/diff-cache.ts'
import type { ToastStore } from '../tasks/toast-store.ts'
import { type Store, useStore } from './create-store.ts'
import type { DetailCache } from './details.ts'
import type { Looks } from './looks.ts'
import type { Model } from './model.ts'
import type { Operations } from './operations.ts'
import type { Link } from './sync.ts'
import type { View } from './view.ts'

/** Everything a component may reach: made once in main.tsx, handed down by one context. */
export interface App {
  readonly bridge: IceboxBridge
  readonly model: Store<Model>
  readonly link: Store<Link>
  readonly view: Store<View>
  readonly toasts: ToastStore
  readonly details: DetailCache
  readonly looks: Looks
  readonly diffs: DiffCache
  readonly operations: Operations
  readonly transfer: FileTransfer
  readonly drag: DragOut
  readonly settings: Store<Settings>
  /** Slug → task kind that was asked for and whose task is not known yet. */
  readonly asked: Store<ReadonlyMap<string, string>>
}

export type Theme = 'system' | 'light' | 'dark'
export interface Settings {
  readonly theme: Theme
}

export const AppContext = createContext<App | null>(null)

/** The app's one set of services. */
export function useApp(): App {
  const app = useContext(AppContext)
  if (!app) throw new Error('used outside of AppContext')
  return app
}

/** Reads part of the model; the selector must keep identities. */
export function useModel<S>(select: (model: Model) => S): S {
  return useStore(useApp().model, select)
}

/** Reads part of the view; the selector must keep identities. */
export function useView<S>(select: (view: View) => S): S {
  return useStore(useApp().view, select)
}

/** Returns a function that changes part of the view. */
export function useChangeView(): (change: Partial<View>) => void {
  const { view } = useApp()
  return useCallback((change) => view.update((now) => ({ ...now, ...change })), [view])
}
