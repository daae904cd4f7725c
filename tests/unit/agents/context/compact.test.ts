import { expect, test } from 'vitest'
import { compact } from '../../../../src-main/agents/context/compact.ts'
import type { Observer } from '../../../../src-main/agents/observe/types.ts'
import type { AgentSample } from '../../../../src-preload/contract/agents.ts'
import { fakeAgent, lifecycle, sample } from '../observe/agent-world.ts'

const SIGNAL = new AbortController().signal
const TIMES = { settleMs: 300, lookMs: 1, idleMs: 5_000, longestMs: 60_000 }

/** An agent whose looks are given; the last one stays. Each look takes a second of its clock. */
function looking(looks: readonly Partial<AgentSample>[], over: Parameters<typeof fakeAgent>[1] = {}) {
  const world = fakeAgent('/nowhere', over)
  let index = 0
  const observer: Observer = {
    async look() {
      world.clock.now += 1000
      return sample(looks[Math.min(index++, looks.length - 1)])
    },
  }
  return { ...world, run: () => compact(world.agent, observer, SIGNAL, TIMES) }
}

const full = { contextPercent: 85, contextTokens: 170_000 }
const working = { ...full, state: 'working' as const }

test('weakness 12: a compaction is typed with its Enter apart, and counts when the context became smaller', async () => {
  const { run, typed } = looking([full, working, working, { contextPercent: 17, contextTokens: 34_000 }])
  expect(await run()).toEqual({
    ok: true,
    before: 85,
    after: 17,
    reason: 'It was compacted, from 85 % to 17 %.',
  })
  expect(typed).toEqual([{ text: '/compact' }, { pauseMs: 300 }, { key: 'Enter' }])
})

test('weakness 12: tokens that a compaction made void count too', async () => {
  const { run } = looking([full, working, { contextPercent: null, contextTokens: null }])
  expect(await run()).toMatchObject({ ok: true, before: 85, after: null })
})

test('weakness 12: one without effect is told as that', async () => {
  const { run } = looking([full, working, full])
  expect(await run()).toMatchObject({
    ok: false,
    before: 85,
    after: 85,
    reason: expect.stringContaining('did not become smaller'),
  })
})

test.each([
  ['works', { state: 'working' }],
  ['asks something', { reason: 'Proceed?' }],
  ['is in no known state', { state: null }],
] as const)('weakness 12: nothing is typed into an agent that %s', async (_name, state) => {
  const { run, typed } = looking([{ ...full, ...state }])
  expect(await run()).toMatchObject({ ok: false, reason: expect.stringContaining('nothing was typed') })
  expect(typed).toEqual([])
})

test('agents without such a command or without a terminal are left alone', async () => {
  for (const over of [{ provider: 'custom' }, { lifecycle: lifecycle({ runtime: 'turns' }) }] as const) {
    const { run, typed } = looking([full], over)
    expect((await run()).ok).toBe(false)
    expect(typed).toEqual([])
  }
})

test('an agent that ends or never ends is told', async () => {
  expect(await looking([full, { state: 'exited' }]).run()).toMatchObject({
    ok: false,
    reason: 'The agent ended meanwhile.',
  })
  expect(await looking([full, working]).run()).toMatchObject({ ok: false, reason: 'It did not end in time.' })
})
