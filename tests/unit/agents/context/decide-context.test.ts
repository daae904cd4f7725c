import { describe, expect, test } from 'vitest'
import {
  asContextLatch,
  type ContextLatch,
  decideContext,
  NO_LATCH,
} from '../../../../src-main/agents/context/decide-context.ts'
import { DEFAULT_LIFECYCLE, type Lifecycle } from '../../../../src-main/agents/lifecycle.ts'
import type { AgentSample } from '../../../../src-preload/contract/agents.ts'
import { NOW, sample } from '../observe/agent-world.ts'

const MINUTE = 60_000
const options = (over: Partial<Lifecycle['context']> = {}): Lifecycle['context'] => ({
  ...DEFAULT_LIFECYCLE.context,
  strategy: 'compact',
  ...over,
})

/** Asks again and again, carrying the latch along. */
function decider(given = options()) {
  let latch: ContextLatch = NO_LATCH
  return (contextPercent: number | null, now = NOW, over: Partial<AgentSample> = {}) => {
    const decided = decideContext(given, sample({ contextPercent, ...over }), latch, now)
    latch = decided.latch
    return decided.act
  }
}

describe('weakness 12', () => {
  test('weakness 12: nothing is typed into an agent that is not idle', () => {
    const decide = decider()
    const busy: readonly Partial<AgentSample>[] = [
      { state: 'working' },
      { state: 'waiting', reason: 'Do you want to proceed?' },
      { state: 'stuck', reason: 'silent' },
      { state: 'limited', reason: 'limit' },
      { state: null },
    ]
    for (const over of busy) expect(decide(95, NOW, over)).toBe('none')
    expect(decide(95)).toBe('compact')
  })

  test('weakness 12: one that did not help is tried again, after longer and longer waits', () => {
    const decide = decider()
    expect(decide(80)).toBe('compact')
    expect(decide(80, NOW + 4 * MINUTE)).toBe('none')
    expect(decide(80, NOW + 5 * MINUTE)).toBe('compact')
    expect(decide(80, NOW + 14 * MINUTE)).toBe('none')
    expect(decide(80, NOW + 15 * MINUTE)).toBe('compact')
  })

  test('weakness 12: a failure between the trigger and ten points below does not block it for ever', () => {
    const decide = decider()
    expect(decide(80)).toBe('compact')
    expect(decide(65, NOW + MINUTE)).toBe('none')
    expect(decide(75, NOW + 6 * MINUTE)).toBe('compact')
  })
})

test('the latch opens ten points below the trigger and not before', () => {
  const decide = decider()
  expect(decide(70)).toBe('compact')
  expect(decide(60, NOW + 1)).toBe('none')
  expect(decide(71, NOW + 2)).toBe('none')
  expect(decide(59.9, NOW + 3)).toBe('none')
  expect(decide(71, NOW + 4)).toBe('compact')
})

test('an unknown percent and the strategy noop do nothing', () => {
  expect(decider()(null)).toBe('none')
  expect(decider(options({ strategy: 'noop' }))(99)).toBe('none')
  expect(decider()(99, NOW, { state: 'exited' })).toBe('none')
})

test('warnings come before the trigger, as many as asked for and not faster than checks', () => {
  const decide = decider(options({ warnBeforeChecks: 2, checkIntervalSeconds: 60 }))
  expect(decide(59)).toBe('none')
  expect(decide(62)).toBe('warn')
  expect(decide(63, NOW + 1000)).toBe('none')
  expect(decide(63, NOW + MINUTE)).toBe('warn')
  expect(decide(63, NOW + 2 * MINUTE)).toBe('none')
  expect(decide(70, NOW + 3 * MINUTE)).toBe('compact')
})

test('a snapshot and a warning happen once, whatever the agent does; a restart waits until it is idle', () => {
  for (const strategy of ['freeze', 'warn'] as const) {
    const decide = decider(options({ strategy }))
    expect(decide(80, NOW, { state: 'working' })).toBe(strategy)
    expect(decide(90, NOW + 60 * MINUTE)).toBe('none')
  }
  const restart = decider(options({ strategy: 'restart' }))
  expect(restart(80, NOW, { state: 'working' })).toBe('none')
  expect(restart(80)).toBe('restart')
})

test('what is said names the percent and the deed', () => {
  const { say } = decideContext(options(), sample({ contextPercent: 81.5 }), NO_LATCH, NOW)
  expect(say).toBe('Its context is 81.5 % full: it is compacted now.')
})

test('a latch survives its file, and a damaged one is a fresh one', () => {
  const { latch } = decideContext(options(), sample({ contextPercent: 80 }), NO_LATCH, NOW)
  expect(asContextLatch(JSON.parse(JSON.stringify(latch)))).toEqual(latch)
  for (const kept of [null, 7, 'x', [], {}, { tries: -1, nextTryAt: 'soon' }]) {
    expect(asContextLatch(kept)).toEqual(NO_LATCH)
  }
})
