import { describe, expect, test } from 'vitest'
import { batteryAfter, missedText, powerBudget, powerPlan } from '../../../src-main/menus/power-rules.ts'
import { effectiveSettings } from '../../../src-main/state/settings-definition.ts'
import { task } from '../../support/renderer-rows.ts'
import { bottleRow } from '../../support/rows.ts'

const ALL_ON = { freezeOnSleep: true, freezeOnLowBattery: true, freezeOnShutdown: true }

describe('the plan', () => {
  test('by default freezes before a shutdown and never surprises otherwise', () => {
    const state = { bottles: [bottleRow('otter')], tasks: [] }
    const defaults = effectiveSettings({})
    expect(powerPlan('shutdown', defaults, state)).toEqual(['otter'])
    expect(powerPlan('sleep', defaults, state)).toEqual([])
    expect(powerPlan('low-battery', defaults, state)).toEqual([])
    expect(powerPlan('sleep', ALL_ON, state)).toEqual(['otter'])
    expect(powerPlan('low-battery', ALL_ON, state)).toEqual(['otter'])
  })
  test('touches only what runs and is free', () => {
    const bottles = [
      ...(['starting', 'stopping', 'stopped', 'frozen', 'failed', 'unknown'] as const).map((state) =>
        bottleRow(`is-${state}`, { state }),
      ),
      bottleRow('foreign', { badges: ['foreign'] }),
      bottleRow('held'),
      bottleRow('paused', { state: 'paused' }),
      bottleRow('running'),
    ]
    const tasks = [task('1', { kind: 'freeze', slug: 'held', state: 'running' })]
    expect([...powerPlan('sleep', ALL_ON, { bottles, tasks })].sort()).toEqual(['paused', 'running'])
  })
  test('begins where most is at stake', () => {
    const bottles = [
      bottleRow('frozen-lately', { lastFrozenAt: '2026-01-09T00:00:00.000Z' }),
      bottleRow('frozen-long-ago', { lastFrozenAt: '2026-01-02T00:00:00.000Z' }),
      bottleRow('never-old', { startedAt: '2026-01-01T00:00:00.000Z' }),
      bottleRow('never-new', { startedAt: '2026-01-05T00:00:00.000Z' }),
      bottleRow('works', { agentState: 'working', lastFrozenAt: '2026-01-09T00:00:00.000Z' }),
    ]
    expect(powerPlan('shutdown', ALL_ON, { bottles, tasks: [] })).toEqual([
      'works',
      'never-new',
      'never-old',
      'frozen-long-ago',
      'frozen-lately',
    ])
  })
})

test('the time is less than what systems give', () => {
  expect(powerBudget('shutdown', 'linux')).toBeLessThan(5000)
  expect(powerBudget('sleep', 'darwin')).toBe(8000)
})

describe('what was missed', () => {
  test('is silent when nothing was', () => expect(missedText('sleep', [])).toBeNull())
  test('names bottles and the reason', () => {
    expect(missedText('sleep', [{ slug: 'otter', problem: null }])).toBe(
      'otter was not frozen before the computer slept: there was no time left.',
    )
    const many = ['a', 'b', 'c', 'd'].map((slug) => ({ slug, problem: null }))
    expect(missedText('low-battery', [...many, { slug: 'e', problem: 'The disk is full.' }])).toBe(
      'a, b, c and 2 more were not frozen while the battery is low: The disk is full.',
    )
  })
})

describe('the battery', () => {
  const drain = (...percents: number[]) => {
    let isLow = false
    return percents.map((percent) => {
      const after = batteryAfter(isLow, { percent, isDischarging: true }, 10)
      isLow = after.isLow
      return after.became
    })
  }
  test('becomes low once, also when it wavers', () => {
    expect(drain(50, 11, 10, 9, 12, 10, 3)).toEqual([false, false, true, false, false, false, false])
  })
  test('becomes low again after it was charged', () => {
    expect(drain(10, 16, 10)).toEqual([true, false, true])
    expect(batteryAfter(true, { percent: 4, isDischarging: false }, 10)).toEqual({
      isLow: false,
      became: false,
    })
  })
  test('stays what it was when it can’t be read', () => {
    expect(batteryAfter(true, null, 10)).toEqual({ isLow: true, became: false })
  })
})
