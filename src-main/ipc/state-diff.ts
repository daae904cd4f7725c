import { isDeepStrictEqual } from 'node:util'
import type { Bottle, StatePatch, StateSnapshot } from '../../src-preload/contract/index.ts'
import { newestFirst } from '../bottles/read-bottles.ts'

export type StateChange = StatePatch['changes'][number]
/** The part of the snapshot that changes. */
export type LiveState = Readonly<Pick<StateSnapshot, 'bottles' | 'tasks' | 'engines' | 'trash' | 'disk'>>

/** Nothing known yet. */
export const EMPTY_STATE: LiveState = { bottles: [], tasks: [], engines: [], trash: [], disk: null }

/** The rows with some of them replaced, added or, for null, removed; newest first, as a whole list is. Pure. */
export function mergeRows(rows: readonly Bottle[], changed: ReadonlyMap<string, Bottle | null>): Bottle[] {
  const kept = rows.filter((row) => !changed.has(row.slug))
  const fresh = [...changed.values()].filter((row) => row !== null)
  return [...kept, ...fresh].sort(newestFirst)
}

export interface StateDiff {
  /** `next`, with every unchanged row being the very object that `previous` held. */
  readonly state: LiveState
  readonly changes: readonly StateChange[]
}

/** What a page must change to get from one state to the other. Pure; no change gives `previous` itself. */
export function diffState(previous: LiveState, next: LiveState): StateDiff {
  const bottles = diffRows(previous.bottles, next.bottles, (row) => row.slug)
  const tasks = diffRows(previous.tasks, next.tasks, (row) => row.id)
  const engines = diffRows(previous.engines, next.engines, (row) => row.name)
  const trash = diffRows(previous.trash, next.trash, (row) => row.id)
  const isSameDisk = isDeepStrictEqual(previous.disk, next.disk)
  const changes: StateChange[] = [
    ...bottles.changes.map(({ key, value }) => ({ entity: 'bottle' as const, key, value })),
    ...tasks.changes.map(({ key, value }) => ({ entity: 'task' as const, key, value })),
    ...engines.changes.map(({ key, value }) => ({ entity: 'engine' as const, key, value })),
    ...trash.changes.map(({ key, value }) => ({ entity: 'trash' as const, key, value })),
    ...(isSameDisk ? [] : [{ entity: 'disk' as const, key: 'disk' as const, value: next.disk }]),
  ]
  const state = {
    bottles: bottles.rows,
    tasks: tasks.rows,
    engines: engines.rows,
    trash: trash.rows,
    disk: isSameDisk ? previous.disk : next.disk,
  }
  const isSame = (Object.keys(state) as (keyof LiveState)[]).every((part) => state[part] === previous[part])
  return { state: isSame ? previous : state, changes }
}

interface RowsDiff<T> {
  readonly rows: T[]
  readonly changes: readonly { readonly key: string; readonly value: T | null }[]
}

function diffRows<T extends object>(
  previous: T[],
  next: readonly T[],
  keyOf: (row: T) => string,
): RowsDiff<T> {
  if (previous === next) return { rows: previous, changes: [] }
  const before = new Map(previous.map((row) => [keyOf(row), row]))
  const changes: { key: string; value: T | null }[] = []
  const rows = next.map((row) => {
    const key = keyOf(row)
    const held = before.get(key)
    before.delete(key)
    if (held && isSameRow(held, row)) return held
    changes.push({ key, value: row })
    return row
  })
  for (const key of before.keys()) changes.push({ key, value: null })
  const isSame = rows.length === previous.length && rows.every((row, index) => row === previous[index])
  return { rows: isSame ? previous : rows, changes }
}

function isSameRow<T extends object>(left: T, right: T): boolean {
  if (left === right) return true
  const keys = Object.keys(right) as (keyof T)[]
  if (keys.length !== Object.keys(left).length) return false
  // Most fields are primitives, so the deep comparison is rarely needed.
  return keys.every((key) => left[key] === right[key] || isDeepStrictEqual(left[key], right[key]))
}
