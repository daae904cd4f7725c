import { expect, test } from 'vitest'
import { type Look, lineOf, trendOf, withLook } from '../../../../src-renderer/health/trend.ts'
import { createStore } from '../../../../src-renderer/state/create-store.ts'
import { watchLooks } from '../../../../src-renderer/state/looks.ts'
import { applyPatches, emptyModel, modelOf } from '../../../../src-renderer/state/model.ts'
import { bottle, health, state } from '../../../support/renderer-rows.ts'

const looks = (...percents: readonly number[]): readonly Look[] =>
  percents.map((percent, index) => ({ at: index * 60_000, percent }))

test('one look is no trend', () => {
  expect(trendOf([])).toBeNull()
  expect(trendOf(looks(40))).toBeNull()
})

test('a trend goes up, down, or stays level within a point', () => {
  expect(trendOf(looks(40, 43, 46.4))).toEqual({ way: 'up', points: 6, time: 120_000 })
  expect(trendOf(looks(80, 30))).toEqual({ way: 'down', points: 50, time: 60_000 })
  expect(trendOf(looks(40, 40.9))).toEqual({ way: 'level', points: 1, time: 60_000 })
  expect(trendOf([...looks(40), { at: 59_000, percent: 40 }])).toBeNull()
})

test('an older look changes nothing, and only so many are kept', () => {
  const one = looks(40)
  expect(withLook(one, { at: 0, percent: 90 })).toBe(one)
  const many = Array.from({ length: 100 }, (_, at) => ({ at, percent: at })).reduce(
    withLook,
    [] as readonly Look[],
  )
  expect(many).toHaveLength(60)
  expect(many.at(-1)?.percent).toBe(99)
})

test('the line fills its box, and stays inside of it', () => {
  expect(lineOf(looks(0, 50, 120), 60, 20)).toBe('0.0,20.0 30.0,10.0 60.0,0.0')
  expect(lineOf(looks(10), 60, 20)).toBe('')
})

test('the page notes each new look of a run, and forgets runs that are gone', () => {
  const seen = (minute: number, contextPercent: number | null) =>
    health({ seenAt: new Date(minute * 60_000).toISOString(), contextPercent })
  const model = createStore(modelOf(state(1, [bottle('web', { health: seen(1, 40) })]), emptyModel))
  const watched = watchLooks(model)
  const next = (revision: number, value: ReturnType<typeof bottle> | null) =>
    model.update(
      (now) => applyPatches(now, [{ revision, changes: [{ entity: 'bottle', key: 'web', value }] }]).model,
    )
  next(2, bottle('web', { health: seen(2, 44) }))
  next(3, bottle('web', { health: seen(3, null) }))
  next(4, bottle('web', { snapshots: 1, health: seen(2, 44) }))
  expect(watched.of({ slug: 'web', runId: 'r1' }).map(({ percent }) => percent)).toEqual([40, 44])
  next(5, bottle('web', { runId: 'r2', health: seen(5, 3) }))
  expect(watched.of({ slug: 'web', runId: 'r1' })).toEqual([])
  expect(watched.of({ slug: 'web', runId: 'r2' }).map(({ percent }) => percent)).toEqual([3])
  next(6, null)
  expect(watched.of({ slug: 'web', runId: 'r2' })).toEqual([])
})
