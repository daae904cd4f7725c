import { describe, expect, test } from 'vitest'
import { chooseEvictions } from '../../../../src-main/artifacts/drag-cache/choose-evictions.ts'
import { COLD, type EntryState, reduceEntry } from '../../../../src-main/artifacts/drag-cache/entry-state.ts'
import type { DragRecord } from '../../../../src-main/artifacts/drag-cache/types.ts'

const record = (change: Partial<DragRecord> = {}): DragRecord => ({
  version: 1,
  slug: 'web',
  snapshot: '20261121T061500Z-a001',
  scrub: null,
  fileName: 'web.bottle',
  bytes: 10,
  mtimeMs: 1,
  digest: 'sha256:a',
  source: 's',
  fidelity: 'files',
  usedAt: 1000,
  draggedAt: null,
  ...change,
})
const preparing: EntryState = { state: 'preparing', taskId: 't1' }
const ready: EntryState = { state: 'ready', record: record() }

describe('an entry', () => {
  test('goes from cold over preparing to ready', () => {
    const begun = reduceEntry(COLD, { type: 'begun', taskId: 't1' })
    expect(begun).toEqual(preparing)
    expect(reduceEntry(begun, { type: 'made', taskId: 't1', record: record() })).toEqual(ready)
  })
  test('that failed may begin again', () => {
    const failed = reduceEntry(preparing, { type: 'failed', taskId: 't1' })
    expect(failed).toEqual({ state: 'failed' })
    expect(reduceEntry(failed, { type: 'begun', taskId: 't2' })).toMatchObject({ taskId: 't2' })
  })
  test.each([
    ['a second begin', preparing, { type: 'begun', taskId: 't2' }],
    ['the end of an earlier task', preparing, { type: 'made', taskId: 't0', record: record() }],
    ['the failure of an earlier task', preparing, { type: 'failed', taskId: 't0' }],
    ['a failure after the end', ready, { type: 'failed', taskId: 't1' }],
    ['a file of before, while a new one is made', preparing, { type: 'found', record: record() }],
    ['a drag of nothing', COLD, { type: 'dragged', at: 5 }],
    ['a removal while one is made', preparing, { type: 'gone' }],
  ] as const)('is not moved by %s', (_what, state, event) => {
    expect(reduceEntry(state, event)).toBe(state)
  })
  test('that is gone is cold', () => {
    expect(reduceEntry(ready, { type: 'gone' })).toBe(COLD)
  })
  test('keeps the last times, whoever knew of them', () => {
    const used = reduceEntry(ready, { type: 'used', at: 3000 })
    const dragged = reduceEntry(used, { type: 'dragged', at: 4000 })
    const found = reduceEntry(dragged, { type: 'found', record: record({ usedAt: 9000, bytes: 11 }) })
    expect(found).toMatchObject({ record: { usedAt: 9000, draggedAt: 4000, bytes: 11 } })
    expect(reduceEntry(ready, { type: 'used', at: 1 })).toEqual(ready)
  })
})

describe('evictions', () => {
  const MINUTE = 60_000
  const now = 1_000 * MINUTE
  const bounds = {
    now,
    maxBytes: 100,
    maxAgeMs: 500 * MINUTE,
    dragGraceMs: 60 * MINUTE,
    useGraceMs: 2 * MINUTE,
  }
  const used = (minutesAgo: number, bytes: number, change: Partial<DragRecord> = {}) =>
    record({ fileName: `${minutesAgo}.bottle`, bytes, usedAt: now - minutesAgo * MINUTE, ...change })
  const gone = (records: readonly DragRecord[]) =>
    chooseEvictions(records, bounds).map(({ fileName }) => fileName)

  test('take nothing while everything fits', () => {
    expect(gone([used(10, 60), used(20, 40)])).toEqual([])
  })
  test('take the least recently used until the rest fits', () => {
    expect(gone([used(10, 60), used(30, 30), used(20, 30)])).toEqual(['30.bottle'])
    expect(gone([used(10, 90), used(30, 30), used(20, 30)])).toEqual(['30.bottle', '20.bottle'])
  })
  test('take what nobody used for too long, though it fits', () => {
    expect(gone([used(501, 1), used(499, 1)])).toEqual(['501.bottle'])
  })
  test('never take what was dragged within the hour, even when it is too large', () => {
    const dragged = used(59, 900, { draggedAt: now - 59 * MINUTE })
    expect(gone([dragged, used(10, 10)])).toEqual(['10.bottle'])
    expect(gone([used(61, 900, { draggedAt: now - 61 * MINUTE })])).toEqual(['61.bottle'])
  })
  test('never take what was just offered', () => {
    expect(gone([used(1, 900)])).toEqual([])
  })
})
