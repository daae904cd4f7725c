import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'
import { type AgentEvent, decide } from '../../../../src-main/bottles/supervise/decide.ts'
import type { freezeAction } from '../../../../src-main/bottles/supervise/decide-freezes.ts'
import { dues } from '../../../../src-main/bottles/supervise/dues.ts'
import { keptPart, openState, takeUp } from '../../../../src-main/bottles/supervise/supervision.ts'
import { KEY, kinds, life, NOW, play, running, sampleOf } from './samples.ts'

const MINUTE = 60_000
const restart = { ...DEFAULT_LIFECYCLE.restart, policy: 'on-failure' as const, jitter: 0 }
const autoFreeze = DEFAULT_LIFECYCLE.autoFreeze
const exited = (code: number | null, at = NOW, isStopped = false): AgentEvent => ({
  kind: 'exited',
  end: { code, isStopped, at },
})
const looked = (more: Parameters<typeof sampleOf>[0], at = NOW): AgentEvent => ({
  kind: 'sample',
  sample: sampleOf(more, at),
  lookedAt: at,
  changed: [],
})
const frozen = (
  rule: Parameters<typeof freezeAction>[0],
  outcome: 'done' | 'unsupported' | 'failed',
): AgentEvent => ({
  kind: 'frozen',
  rule,
  note: 'Frozen as the rule says.',
  outcome,
  message: 'why',
})

describe('ends', () => {
  test('a crash waits, is told, and is begun again when it is due, hook first', () => {
    const lifecycle = life({ restart })
    const { state, actions } = play(running(), lifecycle, [
      [NOW, exited(3)],
      [NOW + 30_000, { kind: 'due', what: 'restart' }],
    ])
    expect(actions.map(kinds)).toEqual([
      ['look', 'hook on_health', 'tell', 'facts'],
      ['hook on_restart', 'restart crash'],
    ])
    expect(state.restarts).toEqual({
      tries: [NOW + 30_000],
      nextAt: null,
      begun: 'crash',
      gaveUp: null,
      cutAt: null,
      contextTries: [],
    })
  })

  test('the same end told twice is one end', () => {
    const { actions } = play(running(), life({ restart }), [
      [NOW, exited(3)],
      [NOW + 1, exited(3)],
    ])
    expect(actions[1]).toEqual([])
  })

  test('a freeze at the end comes before the restart, and what fails is tried again a few times', () => {
    const lifecycle = life({ restart, autoFreeze: { ...autoFreeze, onExit: true } })
    const first = play(running(), lifecycle, [[NOW, exited(1)]])
    expect(kinds(first.actions[0] ?? [])).toContain('freeze exit')
    expect(first.state.freezes.exit).toBe('due')
    let { state } = first
    const waits: number[] = []
    for (let n = 0; n < 8; n++) {
      state = play(state, lifecycle, [[NOW, frozen('exit', 'failed')]]).state
      const at = dues(state, lifecycle, true).exit
      if (at === null) break
      waits.push(at - NOW)
      const due = play(state, lifecycle, [[NOW, { kind: 'due', what: 'exit' }]])
      expect(kinds(due.actions[0] ?? [])).toEqual(['freeze exit'])
      state = due.state
    }
    expect(waits).toEqual([30_000, 60_000, 120_000, 240_000, 480_000])
    expect(play(state, lifecycle, [[NOW, frozen('exit', 'done')]]).state.freezes.exit).toBe('done')
  })

  test('a restart that fails counts as a try, and one that can never work is given up at once', () => {
    const lifecycle = life({ restart: { ...restart, maxRetries: 2 } })
    const begun = play(running(), lifecycle, [
      [NOW, exited(3)],
      [NOW + 30_000, { kind: 'due', what: 'restart' }],
    ]).state
    const retried = play(begun, lifecycle, [
      [NOW + 31_000, { kind: 'restart-failed', message: 'no', isFinal: false }],
    ])
    expect(retried.state.restarts).toMatchObject({ nextAt: NOW + 91_000, begun: null })
    const hopeless = play(begun, lifecycle, [
      [NOW + 31_000, { kind: 'restart-failed', message: 'Gone.', isFinal: true }],
    ])
    expect(hopeless.state.restarts).toMatchObject({ nextAt: null, begun: null, gaveUp: 'Gone' })
    expect(kinds(hopeless.actions[0] ?? [])).toEqual(['tell', 'tell', 'facts', 'hook on_health'])
  })

  test('weakness 03: another process goes on where one ended, and repeats nothing', () => {
    const lifecycle = life({ restart, autoFreeze: { ...autoFreeze, onExit: true } })
    const waiting = play(running(), lifecycle, [[NOW, exited(3)]]).state
    const again = (state: typeof waiting, at: number) =>
      openState(takeUp(JSON.parse(JSON.stringify(keptPart(state))), KEY, at), false, null)
    const armed = { kind: 'armed', hasStartup: true } as const
    // It was waiting: the freeze is made up for, and the clock is the same.
    const taken = play(again(waiting, NOW + 5), lifecycle, [[NOW + 5, armed]])
    expect(taken.actions.map(kinds)).toEqual([['freeze exit']])
    expect(dues(taken.state, lifecycle, true).restart).toBe(NOW + 30_000)
    // It had begun: the agent must come back, but its hook was told already.
    const begun = play(waiting, lifecycle, [
      [NOW, frozen('exit', 'done')],
      [NOW + 30_000, { kind: 'due', what: 'restart' }],
    ]).state
    expect(play(again(begun, NOW), lifecycle, [[NOW, armed]]).actions.map(kinds)).toEqual([['restart crash']])
  })

  test('a new launch by rule keeps its tries, one by a person begins anew', () => {
    const lifecycle = life({ restart })
    const waiting = play(running(), lifecycle, [[NOW, exited(3)]]).state
    const begun = play(waiting, lifecycle, [[NOW + 30_000, { kind: 'due', what: 'restart' }]]).state
    const next = { runId: 'r1', startedAt: new Date(NOW + 31_000).toISOString() }
    expect(takeUp(keptPart(begun), next, NOW).restarts).toEqual({
      tries: [NOW + 30_000],
      nextAt: null,
      begun: null,
      gaveUp: null,
      cutAt: null,
      contextTries: [],
    })
    expect(takeUp(keptPart(waiting), next, NOW).restarts.tries).toEqual([])
    expect(takeUp(null, next, NOW).end).toBeNull()
  })
})

describe('looks', () => {
  test('an agent that waits and says nothing costs none', () => {
    const lifecycle = life({ health: { ...DEFAULT_LIFECYCLE.health, enabled: true } })
    const { state } = play(running(), lifecycle, [[NOW, looked({ state: 'waiting' })]])
    expect(dues(state, lifecycle, true)).toEqual({
      look: null,
      restart: null,
      idle: null,
      interval: null,
      context: null,
      exit: null,
      again: null,
    })
  })

  test('output leads to one when it ends, and at the interval while it goes on', () => {
    const lifecycle = life({ health: { ...DEFAULT_LIFECYCLE.health, intervalSeconds: 30 } })
    let state = running({ lastLookAt: NOW })
    state = play(state, lifecycle, [[NOW + 10_000, { kind: 'output', at: NOW + 10_000 }]]).state
    expect(dues(state, lifecycle, true).look).toBe(NOW + 11_500)
    for (let at = NOW + 11_000; at < NOW + 60_000; at += 1000) {
      state = play(state, lifecycle, [[at, { kind: 'output', at }]]).state
    }
    expect(dues(state, lifecycle, true).look).toBe(NOW + 30_000)
    expect(dues(state, lifecycle, false).look).toBeNull()
  })

  test('one that works in silence is looked at once more, when it would be stuck', () => {
    const lifecycle = life({ health: { ...DEFAULT_LIFECYCLE.health, stuckSeconds: 600 } })
    const state = running({
      lastLookAt: NOW + 2000,
      lastOutputAt: NOW,
      sample: sampleOf({ state: 'working' }),
    })
    expect(dues(state, lifecycle, true).look).toBe(NOW + 600_000)
    const later = { ...state, lastLookAt: NOW + 600_100, sample: sampleOf({ state: 'stuck' }) }
    expect(dues(later, lifecycle, true).look).toBeNull()
  })

  test('trouble is told once when it comes and once when it goes', () => {
    const lifecycle = life({})
    const { actions } = play(running(), lifecycle, [
      [NOW, looked({ state: 'working' })],
      [NOW, looked({ state: 'stuck', reason: 'no output' })],
      [NOW, looked({ state: 'stuck', reason: 'no output' })],
      [NOW, looked({ state: null })],
      [NOW, looked({ state: 'working' })],
    ])
    expect(actions.map(kinds)).toEqual([[], ['tell', 'hook on_health'], [], [], ['tell', 'hook on_health']])
  })

  test('a change that means something is told to its hook with its fields', () => {
    const [actions] = play(running(), life({}), [
      [NOW, { kind: 'sample', sample: sampleOf({}), lookedAt: NOW, changed: ['model'] }],
    ]).actions
    expect(actions).toEqual([
      { kind: 'hook', point: 'on_diff', context: { diff_fields: ['model'], timestamp: sampleOf({}).at } },
    ])
  })
})

describe('freezes by rule', () => {
  test('idle: once for each time of rest, and a look at the terminal is no work', () => {
    const lifecycle = life({ autoFreeze: { ...autoFreeze, idleMinutes: 10 } })
    const rest = { state: 'waiting', lastActivityAt: '2026-01-01T11:59:00.000Z' } as const
    let state = play(running(), lifecycle, [
      [NOW, { kind: 'output', at: NOW }],
      [NOW + 2000, looked(rest, NOW + 2000)],
    ]).state
    expect(dues(state, lifecycle, true).idle).toBe(NOW + 2000 + 10 * MINUTE)
    const due = play(state, lifecycle, [[NOW + 10 * MINUTE, { kind: 'due', what: 'idle' }]])
    expect(due.actions[0]).toEqual([
      { kind: 'freeze', rule: 'idle', note: 'Frozen after 10 minutes without work.' },
    ])
    state = play(due.state, lifecycle, [
      [NOW + 10 * MINUTE, frozen('idle', 'done')],
      [NOW + 11 * MINUTE, { kind: 'output', at: NOW + 11 * MINUTE }],
      [NOW + 11 * MINUTE, looked(rest, NOW + 11 * MINUTE)],
    ]).state
    expect(dues(state, lifecycle, true).idle).toBeNull()
    const worked = { ...rest, lastActivityAt: '2026-01-01T12:12:00.000Z' }
    state = play(state, lifecycle, [[NOW + 12 * MINUTE, looked(worked, NOW + 12 * MINUTE)]]).state
    expect(dues(state, lifecycle, true).idle).not.toBeNull()
  })

  test('interval: only after output', () => {
    const lifecycle = life({ autoFreeze: { ...autoFreeze, everyMinutes: 5 } })
    const begun = running()
    expect(dues(begun, lifecycle, true).interval).toBe(NOW + 5 * MINUTE)
    const first = play(begun, lifecycle, [[NOW + 5 * MINUTE, { kind: 'due', what: 'interval' }]])
    expect(kinds(first.actions[0] ?? [])).toEqual(['freeze interval'])
    const quiet = play(first.state, lifecycle, [
      [NOW + 5 * MINUTE, frozen('interval', 'done')],
      [NOW + 10 * MINUTE, { kind: 'due', what: 'interval' }],
    ])
    expect(quiet.actions[1]).toEqual([])
    const loud = play(quiet.state, lifecycle, [
      [NOW + 11 * MINUTE, { kind: 'output', at: NOW + 11 * MINUTE }],
      [NOW + 15 * MINUTE, { kind: 'due', what: 'interval' }],
    ])
    expect(kinds(loud.actions[1] ?? [])).toEqual(['freeze interval'])
  })

  test('context: once when it is crossed, again only after it was well below', () => {
    const lifecycle = life({ autoFreeze: { ...autoFreeze, contextPercent: 80 } })
    const at = (percent: number) => [NOW, looked({ state: 'working', contextPercent: percent })] as const
    const { actions } = play(running(), lifecycle, [at(79), at(80), at(95), at(75), at(82), at(69), at(81)])
    expect(actions.map(kinds)).toEqual([[], ['freeze context'], [], [], [], [], ['freeze context']])
  })

  test('an engine that would have to stop the agent is told of once, and no rule tries again', () => {
    const lifecycle = life({ autoFreeze: { ...autoFreeze, everyMinutes: 5, idleMinutes: 5 } })
    const { state, actions } = play(running(), lifecycle, [
      [NOW, looked({ state: 'waiting' })],
      [NOW, frozen('interval', 'unsupported')],
      [NOW, frozen('idle', 'unsupported')],
    ])
    expect(actions.slice(1).map(kinds)).toEqual([['tell'], []])
    expect(dues(state, lifecycle, true)).toMatchObject({ idle: null, interval: null })
  })

  test('an ended agent has no clock but that of its restart', () => {
    const lifecycle = life({
      autoFreeze: { ...autoFreeze, everyMinutes: 5, idleMinutes: 5 },
      context: { ...DEFAULT_LIFECYCLE.context, strategy: 'compact' },
    })
    const { state } = play(running(), lifecycle, [
      [NOW, looked({ state: 'waiting', contextPercent: 90 })],
      [NOW, exited(0)],
    ])
    expect(Object.values(dues(state, lifecycle, true)).every((at) => at === null)).toBe(true)
  })
})

describe('context', () => {
  const lifecycle = life({ context: { ...DEFAULT_LIFECYCLE.context, strategy: 'restart' } })
  const choice = (act: 'none' | 'warn' | 'compact' | 'freeze' | 'restart'): AgentEvent => ({
    kind: 'context',
    latch: { isSet: true },
    act,
    say: act === 'none' ? null : 'words',
  })

  test('a freeze comes before what throws parts of the conversation away', () => {
    const of = (act: Parameters<typeof choice>[0], freezeFirst: boolean) =>
      kinds(
        play(running(), { ...lifecycle, context: { ...lifecycle.context, freezeFirst } }, [
          [NOW, choice(act)],
        ]).actions[0] ?? [],
      )
    expect(of('none', true)).toEqual([])
    expect(of('warn', true)).toEqual(['tell'])
    expect(of('compact', true)).toEqual(['tell', 'freeze before-context', 'compact'])
    expect(of('compact', false)).toEqual(['tell', 'compact'])
    expect(of('restart', true)).toEqual([
      'tell',
      'freeze before-context',
      'still-idle',
      'hook on_restart',
      'restart context',
    ])
    expect(of('freeze', false)).toEqual(['tell', 'freeze before-context'])
  })

  test('a restart for the context is no retry of a crash', () => {
    const begun = play(running(), lifecycle, [[NOW, choice('restart')]]).state
    expect(begun.restarts).toMatchObject({ begun: 'context', tries: [] })
    const failed = play(begun, lifecycle, [[NOW, { kind: 'restart-failed', message: 'no', isFinal: false }]])
    expect(failed.state.restarts).toMatchObject({ begun: null, nextAt: null, gaveUp: null })
  })
})

test('whatever happens, an agent that runs is never restarted after a crash, and one that was given up stays so', () => {
  const event = fc.oneof<fc.Arbitrary<AgentEvent>[]>(
    fc
      .record({ code: fc.option(fc.integer({ min: 0, max: 255 })), stopped: fc.boolean() })
      .map(({ code, stopped }) => exited(code, NOW, stopped)),
    fc.constantFrom<AgentEvent>(
      { kind: 'due', what: 'restart' },
      { kind: 'due', what: 'look' },
      { kind: 'due', what: 'interval' },
      { kind: 'output', at: NOW },
      { kind: 'restart-void' },
      { kind: 'restart-failed', message: 'no', isFinal: false },
      { kind: 'restart-failed', message: 'no', isFinal: true },
      frozen('exit', 'failed'),
      frozen('exit', 'done'),
      looked({ state: 'waiting' }),
      looked({ state: 'stuck' }),
    ),
  )
  const lifecycle = life({
    restart: { ...restart, policy: 'always' },
    autoFreeze: { ...autoFreeze, onExit: true },
  })
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      let state = running()
      let isGivenUp = false
      for (const next of events) {
        const decision = decide(state, next, lifecycle, NOW, 0.5)
        const restarts = decision.actions.filter(({ kind }) => kind === 'restart')
        expect(restarts.length).toBeLessThanOrEqual(1)
        if (state.isRunning || isGivenUp) expect(restarts).toEqual([])
        state = decision.state
        isGivenUp ||= state.restarts.gaveUp !== null
      }
    }),
  )
})
