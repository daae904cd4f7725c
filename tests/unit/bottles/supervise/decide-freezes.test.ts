import { expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'
import type { AgentEvent } from '../../../../src-main/bottles/supervise/decide.ts'
import { dues } from '../../../../src-main/bottles/supervise/dues.ts'
import {
  type FreezeRule,
  keptPart,
  openState,
  takeUp,
} from '../../../../src-main/bottles/supervise/supervision.ts'
import { parseSupervision } from '../../../../src-main/bottles/supervise/supervision-file.ts'
import { isPending } from '../../../../src-main/bottles/supervise/supervisor.ts'
import { KEY, kinds, life, NOW, play, running, sampleOf } from './samples.ts'

const { autoFreeze, context } = DEFAULT_LIFECYCLE
const frozen = (rule: FreezeRule, outcome: 'done' | 'unsupported' | 'failed', note = 'note'): AgentEvent => ({
  kind: 'frozen',
  rule,
  note,
  outcome,
  message: 'The disk is full.',
})
const crashed: AgentEvent = { kind: 'exited', end: { code: 1, isStopped: false, at: NOW } }
const onExit = life({ autoFreeze: { ...autoFreeze, onExit: true } })

test('an end that can not be frozen is given up, told once, and asks for no supervisor any more', () => {
  let state = play(running(), onExit, [[NOW, crashed]]).state
  const told: string[][] = []
  for (let n = 0; n < 6; n++) {
    const { state: next, actions } = play(state, onExit, [[NOW, frozen('exit', 'failed')]])
    told.push([...kinds(actions[0] ?? [])])
    state = next
  }
  expect(told.map(({ length }) => length)).toEqual([1, 1, 1, 1, 1, 2])
  expect(state.freezes).toMatchObject({ exit: 'gave-up', retryAt: null })
  const kept = parseSupervision(JSON.parse(JSON.stringify(keptPart(state))))
  expect(kept && isPending(kept, NOW, 3600, NOW + 1)).toBe(false)
  const armed = play(openState(takeUp(kept, KEY, NOW), false, null), onExit, [
    [NOW, { kind: 'armed', hasStartup: false }],
  ])
  expect(armed.actions).toEqual([[]])
})

test('an end that the engine can not freeze is given up at once', () => {
  const { state, actions } = play(running(), onExit, [
    [NOW, crashed],
    [NOW, frozen('exit', 'unsupported')],
  ])
  expect(kinds(actions[1] ?? [])).toEqual(['tell'])
  expect(isPending(keptPart(state), NOW, 3600, NOW + 1)).toBe(false)
})

test('a supervisor that takes over waits as long as the one before it would have', () => {
  const { state } = play(running(), onExit, [
    [NOW, crashed],
    [NOW, frozen('exit', 'failed')],
  ])
  const next = openState(takeUp(keptPart(state), KEY, NOW + 1), false, null)
  const armed = play(next, onExit, [[NOW + 1, { kind: 'armed', hasStartup: false }]])
  expect(armed.actions).toEqual([[]])
  expect(dues(armed.state, onExit, true).exit).toBe(NOW + 30_000)
})

test.each([
  ['idle', life({ autoFreeze: { ...autoFreeze, idleMinutes: 5 } })],
  ['context', life({ autoFreeze: { ...autoFreeze, contextPercent: 80 } })],
  ['before-context', life({ context: { ...context, strategy: 'freeze' } })],
] as const)(
  'a failed %s freeze is tried again, after longer and longer waits, until it is done',
  (rule, of) => {
    let state = running({ sample: sampleOf({ state: 'waiting', contextPercent: 90 }) })
    const waits: number[] = []
    for (let n = 0; n < 9; n++) {
      state = play(state, of, [[NOW, frozen(rule, 'failed', 'its note')]]).state
      const kept = parseSupervision(JSON.parse(JSON.stringify(keptPart(state))))
      expect(kept?.freezes.again).toEqual(state.freezes.again)
      waits.push((dues(state, of, true).again ?? 0) - NOW)
      const due = play(state, of, [[NOW, { kind: 'due', what: 'again' }]])
      expect(due.actions[0]).toEqual([{ kind: 'freeze', rule, note: 'its note' }])
      state = due.state
      expect(dues(state, of, true).again).toBeNull()
    }
    expect(waits.slice(0, 3)).toEqual([30_000, 60_000, 120_000])
    expect(waits.at(-1)).toBe(3_600_000)
    state = play(state, of, [[NOW, frozen(rule, 'done')]]).state
    expect(state.freezes.again).toBeNull()
  },
)

test('a freeze that was to come before something else is asked for by that, and one by the clock by the clock', () => {
  const of = life({ context: { ...context, strategy: 'compact' } })
  for (const rule of ['before-context', 'interval'] as const) {
    const { state } = play(running(), of, [[NOW, frozen(rule, 'failed')]])
    expect(dues(state, of, true).again).toBeNull()
  }
})

test('an ended agent is not frozen again by a rule of its life', () => {
  const of = life({ autoFreeze: { ...autoFreeze, idleMinutes: 5 } })
  const { state } = play(running(), of, [
    [NOW, frozen('idle', 'failed')],
    [NOW, crashed],
  ])
  expect(dues(state, of, true).again).toBeNull()
})
