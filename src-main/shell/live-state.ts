import type { StatePatch, StateSnapshot } from '../../src-preload/contract/index.ts'
import type { StateHub } from '../ipc/state-hub.ts'

/** The state as of now, for what shows it without a page: tray, dock, notifications. */
export interface LiveState {
  get(): StateSnapshot
  /** Called after each change with the state before and after it. */
  onChange(listener: (now: StateSnapshot, before: StateSnapshot) => void): () => void
  close(): void
}

/** Follows the hub from its first snapshot on. */
export async function followState(hub: StateHub): Promise<LiveState> {
  const listeners = new Set<(now: StateSnapshot, before: StateSnapshot) => void>()
  const early: StatePatch[] = []
  let state: StateSnapshot | undefined
  const take = (patch: StatePatch): void => {
    if (!state || patch.revision <= state.revision) {
      if (!state) early.push(patch)
      return
    }
    const before = state
    state = applyPatch(before, patch)
    for (const listener of listeners) listener(state, before)
  }
  const leave = hub.subscribe(take)
  let current = await hub.snapshot()
  for (const patch of early) if (patch.revision > current.revision) current = applyPatch(current, patch)
  state = current
  return {
    get: () => state ?? current,
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: leave,
  }
}

type Keyed = 'bottles' | 'tasks' | 'engines' | 'trash'
const PLACES = {
  bottle: ['bottles', 'slug'],
  task: ['tasks', 'id'],
  engine: ['engines', 'name'],
  trash: ['trash', 'id'],
} as const satisfies Record<string, readonly [Keyed, string]>

/** The state after a patch; rows that did not change keep their identity and place. Pure. */
export function applyPatch(state: StateSnapshot, patch: StatePatch): StateSnapshot {
  const next: Record<string, unknown> = { ...state, revision: patch.revision }
  for (const change of patch.changes) {
    if (change.entity === 'disk') {
      next.disk = change.value
      continue
    }
    const [place, id] = PLACES[change.entity]
    const rows = next[place] as readonly Readonly<Record<string, unknown>>[]
    const at = rows.findIndex((row) => row[id] === change.key)
    const value = change.value as Readonly<Record<string, unknown>> | null
    if (value === null) next[place] = rows.filter((_row, index) => index !== at)
    else next[place] = at === -1 ? [...rows, value] : rows.with(at, value)
  }
  return next as StateSnapshot
}
