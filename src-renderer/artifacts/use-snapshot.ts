import { useEffect } from 'react'
import type { Snapshot } from '../../src-preload/contract/entities.ts'
import { useApp } from '../state/app.ts'
import { useStore } from '../state/create-store.ts'

/** A snapshot's record, read when nobody has looked at its bottle yet. */
export function useSnapshot(slug: string, id: string): Snapshot | undefined {
  const { details } = useApp()
  useEffect(() => {
    if (!details.store.get().has(slug)) void details.load(slug)
  }, [details, slug])
  return useStore(details.store, (all) => all.get(slug)?.detail?.tree.find((item) => item.id === id))
}
