import { describe, expect, test } from 'vitest'
import { applyPatches, emptyModel, modelOf } from '../../../../src-renderer/state/model.ts'
import { bottle, state, task } from '../../../support/renderer-rows.ts'

const start = modelOf(state(5, [bottle('web'), bottle('api')]), emptyModel)
const patch = (revision: number, slug: string, change: Parameters<typeof bottle>[1] | null) => ({
  revision,
  changes: [{ entity: 'bottle' as const, key: slug, value: change === null ? null : bottle(slug, change) }],
})

describe('patches', () => {
  test('change their row and keep every other row the same object', () => {
    const { model, hasGap } = applyPatches(start, [patch(6, 'web', { state: 'frozen' })])
    expect(hasGap).toBe(false)
    expect(model.revision).toBe(6)
    expect(model.bottles.get('web')?.state).toBe('frozen')
    expect(model.bottles.get('api')).toBe(start.bottles.get('api'))
    expect(model.bottleList.map((row) => row.slug)).toEqual(['web', 'api'])
  })

  test('that change nothing keep the list itself', () => {
    const { model } = applyPatches(start, [patch(6, 'web', {})])
    expect(model.revision).toBe(6)
    expect(model.bottleList).toBe(start.bottleList)
    expect(model.bottles.get('web')).toBe(start.bottles.get('web'))
  })

  test('of the past are ignored', () => {
    const { model, hasGap } = applyPatches(start, [patch(4, 'web', null), patch(5, 'api', null)])
    expect(hasGap).toBe(false)
    expect(model).toBe(start)
  })

  test('behind a gap are not applied, those before it are', () => {
    const { model, hasGap } = applyPatches(start, [patch(6, 'web', null), patch(8, 'api', null)])
    expect(hasGap).toBe(true)
    expect(model.revision).toBe(6)
    expect([...model.bottles.keys()]).toEqual(['api'])
  })

  test('add and remove', () => {
    const { model } = applyPatches(start, [patch(6, 'new', {}), patch(7, 'web', null)])
    expect(model.bottleList.map((row) => row.slug)).toEqual(['api', 'new'])
  })

  test('of tasks give the running one of each slug', () => {
    const running = task('t1')
    const { model } = applyPatches(start, [
      { revision: 6, changes: [{ entity: 'task', key: 't1', value: running }] },
    ])
    expect(model.activeTasks.get('web')).toBe(running)
    const after = applyPatches(model, [
      { revision: 7, changes: [{ entity: 'task', key: 't1', value: { ...running, state: 'done' } }] },
    ]).model
    expect(after.activeTasks.has('web')).toBe(false)
    expect(after.taskList).toHaveLength(1)
    expect(after.bottleList).toBe(start.bottleList)
  })
})

test('a second snapshot of state keeps the rows that did not change', () => {
  const next = modelOf(state(9, [bottle('web'), bottle('api', { state: 'failed' })]), start)
  expect(next.bottles.get('web')).toBe(start.bottles.get('web'))
  expect(next.bottles.get('api')).not.toBe(start.bottles.get('api'))
  expect(next.revision).toBe(9)
})
