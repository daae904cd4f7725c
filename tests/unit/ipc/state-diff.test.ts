import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffState, EMPTY_STATE, type LiveState, type StateChange } from '../../../src-main/ipc/state-diff.ts'
import { bottleRow } from '../../support/rows.ts'

const withRows = (...rows: LiveState['bottles']): LiveState => ({ ...EMPTY_STATE, bottles: rows })

/** What a page does with the changes; the oracle of the property below. */
function applied(state: LiveState, changes: readonly StateChange[]): Map<string, unknown> {
  const rows = new Map<string, unknown>(state.bottles.map((row) => [row.slug, row]))
  for (const change of changes) {
    if (change.value === null) rows.delete(change.key)
    else rows.set(change.key, change.value)
  }
  return rows
}

describe('diffState', () => {
  test('no change gives the very same state', () => {
    const state = withRows(bottleRow('a'), bottleRow('b'))
    const diff = diffState(state, structuredClone(state))
    expect(diff.state).toBe(state)
    expect(diff.changes).toEqual([])
  })

  test('one changed row is one change, the others keep their identity', () => {
    const state = withRows(bottleRow('a'), bottleRow('b'))
    const diff = diffState(state, withRows(bottleRow('a'), bottleRow('b', { badges: ['adopted'] })))
    expect(diff.changes).toEqual([
      { entity: 'bottle', key: 'b', value: bottleRow('b', { badges: ['adopted'] }) },
    ])
    expect(diff.state.bottles[0]).toBe(state.bottles[0])
  })

  test('a removed row and a new disk figure', () => {
    const diff = diffState(withRows(bottleRow('a')), {
      ...EMPTY_STATE,
      disk: { freeBytes: 1, snapshotBytes: 2 },
    })
    expect(diff.changes).toEqual([
      { entity: 'bottle', key: 'a', value: null },
      { entity: 'disk', key: 'disk', value: { freeBytes: 1, snapshotBytes: 2 } },
    ])
  })

  test('applying the changes to the old rows always gives the new rows', () => {
    const rows = fc.uniqueArray(
      fc.record({
        slug: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        label: fc.constantFrom('x', 'y'),
        snapshots: fc.nat(2),
      }),
      { selector: (row) => row.slug },
    )
    fc.assert(
      fc.property(rows, rows, (before, after) => {
        const make = (list: typeof before) =>
          withRows(...list.map(({ slug, ...rest }) => bottleRow(slug, rest)))
        const old = make(before)
        const next = make(after)
        const diff = diffState(old, next)
        expect(applied(old, diff.changes)).toEqual(new Map(next.bottles.map((row) => [row.slug, row])))
        expect(diff.state.bottles).toEqual(next.bottles)
      }),
    )
  })
})
