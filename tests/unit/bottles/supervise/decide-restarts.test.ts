import { describe, expect, test } from 'vitest'
import { DEFAULT_LIFECYCLE } from '../../../../src-main/agents/lifecycle.ts'
import type { AgentEvent } from '../../../../src-main/bottles/supervise/decide.ts'
import { dues } from '../../../../src-main/bottles/supervise/dues.ts'
import {
  type AgentState,
  keptPart,
  openState,
  takeUp,
} from '../../../../src-main/bottles/supervise/supervision.ts'
import { parseSupervision } from '../../../../src-main/bottles/supervise/supervision-file.ts'
import { isPending } from '../../../../src-main/bottles/supervise/supervisor.ts'
import { KEY, kinds, life, NOW, play, running } from './samples.ts'

const HOUR = 3_600_000
const lifecycle = life({
  restart: { ...DEFAULT_LIFECYCLE.restart, jitter: 0 },
  context: { ...DEFAULT_LIFECYCLE.context, strategy: 'restart', freezeFirst: false },
})
const asked: AgentEvent = { kind: 'context', latch: { isSet: true }, act: 'restart', say: null }
const stops: AgentEvent = { kind: 'restart-stops' }
const failed: AgentEvent = { kind: 'restart-failed', message: 'A hook said no.', isFinal: false }
const armed: AgentEvent = { kind: 'armed', hasStartup: false }
const stopped = (at: number): AgentEvent => ({ kind: 'exited', end: { code: 143, isStopped: true, at } })
const crashed = (at: number): AgentEvent => ({ kind: 'exited', end: { code: 1, isStopped: false, at } })
const dueRestart: AgentEvent = { kind: 'due', what: 'restart' }

/** As the next supervisor finds it in the file. */
function inherited(state: AgentState, at: number, isRunning = false): AgentState {
  const kept = parseSupervision(JSON.parse(JSON.stringify(keptPart(state))))
  return openState(takeUp(kept, KEY, at), isRunning, null)
}

describe('a restart for the context that breaks off after its own stop', () => {
  test('is tried again as after a crash, with a new conversation, and given up visibly', () => {
    let { state } = play(running(), lifecycle, [
      [NOW, asked],
      [NOW + 1000, stops],
      [NOW + 5000, stopped(NOW + 4000)],
      [NOW + 6000, failed],
    ])
    expect(state.restarts).toMatchObject({ nextAt: NOW + 36_000, begun: null })
    let at = NOW
    for (let n = 1; n <= 3; n++) {
      at = dues(state, lifecycle, true).restart ?? Number.NaN
      const due = play(state, lifecycle, [
        [at, dueRestart],
        [at + 1000, failed],
      ])
      expect(kinds(due.actions[0] ?? [])).toEqual(['hook on_restart', 'restart context'])
      state = due.state
    }
    expect(dues(state, lifecycle, true).restart).toBeNull()
    expect(state.restarts.gaveUp).toContain('restarted 3 times')
  })

  test('is taken up by the next supervisor, whose failure is one too', () => {
    const { state } = play(running(), lifecycle, [
      [NOW, asked],
      [NOW + 1000, stops],
      [NOW + 5000, stopped(NOW + 4000)],
    ])
    expect(isPending(keptPart(state), NOW + 4000, 3600, NOW + 9000)).toBe(true)
    const next = play(inherited(state, NOW + 9000), lifecycle, [
      [NOW + 9000, armed],
      [NOW + 10_000, failed],
    ])
    expect(kinds(next.actions[0] ?? [])).toEqual(['restart context'])
    expect(next.state.restarts.nextAt).toBe(NOW + 40_000)
  })

  test('is found even if its stop was not recorded when the next supervisor came', () => {
    const { state } = play(running(), lifecycle, [
      [NOW, asked],
      [NOW + 1000, stops],
    ])
    const next = play(inherited(state, NOW + 2000, true), lifecycle, [
      [NOW + 2000, armed],
      [NOW + 3000, stopped(NOW + 1500)],
    ])
    // Nobody knows whether one that runs was frozen, so the rule has to ask anew.
    expect(kinds(next.actions[0] ?? [])).toEqual(['look'])
    expect(next.state.restarts.nextAt).toBe(NOW + 33_000)
  })

  test('is nothing like a stop by a person', () => {
    const before = play(running(), lifecycle, [
      [NOW, asked],
      [NOW + 2000, stopped(NOW + 2000)],
      [NOW + 3000, { kind: 'restart-void' }],
    ])
    expect(before.state.restarts).toMatchObject({ nextAt: null, begun: null })
    const later = play(running(), lifecycle, [
      [NOW, asked],
      [NOW + 1000, stops],
      [NOW + 2000, failed],
      [NOW + 3000, stopped(NOW + 3000)],
    ])
    expect(later.state.restarts).toMatchObject({ nextAt: null, begun: null, cutAt: null })
  })
})

test('a crash between the asking and the restart keeps the time of its own restart', () => {
  const of = { ...lifecycle, restart: { ...lifecycle.restart, policy: 'on-failure' as const } }
  const { state } = play(running(), of, [
    [NOW, asked],
    [NOW + 1000, crashed(NOW + 1000)],
    [NOW + 2000, { kind: 'restart-void' }],
  ])
  expect(state.restarts).toMatchObject({ nextAt: NOW + 31_000, begun: null })
})

describe('restarts for the context', () => {
  /** One whole restart: the next launch, as the next one knows it. */
  const again = (state: AgentState, at: number): AgentState => {
    const { state: gone } = play(state, lifecycle, [
      [at, asked],
      [at + 1000, stops],
      [at + 1500, stops],
    ])
    const key = { runId: KEY.runId, startedAt: new Date(at + 2000).toISOString() }
    return openState(takeUp(keptPart(gone), key, at + 2000), true, null)
  }

  test('are given up visibly, once, when they come too often, until the window has gone on', () => {
    let state = running()
    for (let n = 0; n < 3; n++) state = again(state, NOW + n * 600_000)
    expect(state.restarts.contextTries).toEqual([NOW + 1000, NOW + 601_000, NOW + 1_201_000])
    expect(state.context).toEqual({ isSet: true })
    const over = play(state, lifecycle, [
      [NOW + 1_800_000, asked],
      [NOW + 1_900_000, asked],
      [NOW + HOUR + 2000, asked],
    ])
    expect(over.actions.map(kinds)).toEqual([
      ['tell', 'facts', 'hook on_health'],
      [],
      ['still-idle', 'hook on_restart', 'restart context'],
    ])
    expect(over.state.restarts).toMatchObject({ begun: 'context', gaveUp: null })
  })

  test('that were held back count as none', () => {
    const { state } = play(running(), lifecycle, [
      [NOW, asked],
      [NOW, { kind: 'restart-void' }],
    ])
    expect(state.restarts.contextTries).toEqual([])
  })

  test('take no latch along into a launch that a crash led to', () => {
    const of = { ...lifecycle, restart: { ...lifecycle.restart, policy: 'on-failure' as const } }
    const { state } = play(running({ context: { isSet: true } }), of, [
      [NOW, crashed(NOW)],
      [NOW + 30_000, dueRestart],
    ])
    expect(
      takeUp(keptPart(state), { ...KEY, startedAt: new Date(NOW).toISOString() }, NOW).context,
    ).toBeNull()
  })
})

test('a restart that fell due days ago is given up, whether it was begun or not', () => {
  const of = { ...lifecycle, restart: { ...lifecycle.restart, policy: 'on-failure' as const } }
  const waiting = play(running(), of, [[NOW, crashed(NOW)]]).state
  const late = NOW + 48 * HOUR
  const due = play(inherited(waiting, late), of, [
    [late, armed],
    [late, dueRestart],
  ])
  expect(due.actions.map(kinds)).toEqual([[], ['tell', 'facts', 'hook on_health']])
  expect(due.state.restarts.gaveUp).toContain('long ago')
  const begun = play(waiting, of, [[NOW + 30_000, dueRestart]]).state
  const next = play(inherited(begun, late), of, [[late, armed]])
  expect(next.actions.map(kinds)).toEqual([['tell', 'facts', 'hook on_health']])
  expect(next.state.restarts).toMatchObject({ begun: null, nextAt: null })
})
