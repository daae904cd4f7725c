import { describe, expect, test } from 'vitest'
import { assess } from '../../../../src-main/agents/observe/assess.ts'
import { AgentSample } from '../../../../src-preload/contract/index.ts'
import { event, lifecycle, NOW, observation, sample, screenOf } from './agent-world.ts'
import * as screens from './screens.ts'

const look = (over: Parameters<typeof observation>[0], previous: AgentSample | null = null) =>
  assess(observation(over), previous, lifecycle(), 'claude')
const shows = (text: string) => ({ screen: screenOf(text) })
const LONG_AGO = NOW - 3_600_000

test('a sample has the shape of the contract', () => {
  expect(AgentSample.parse(look(shows(screens.CLAUDE_WORKING)))).toMatchObject({
    state: 'working',
    subagents: 2,
  })
})

test('without any evidence everything is unknown, and nothing is dead', () => {
  expect(look({})).toMatchObject({
    state: null,
    alive: 'unknown',
    responsive: 'unknown',
    waiting: 'unknown',
    limited: 'unknown',
    signedIn: 'unknown',
    stuck: 'unknown',
    contextPercent: null,
  })
})

describe('weakness 10: an agent that runs is not for that alone healthy', () => {
  test.each([
    [
      'hangs',
      { ...shows(screens.CLAUDE_WORKING), outputAt: LONG_AGO },
      'stuck',
      { stuck: 'yes', responsive: 'no' },
    ],
    ['is signed out', shows(screens.CLAUDE_SIGNED_OUT), 'signed-out', { signedIn: 'no' }],
    ['is at its limit', shows(screens.CLAUDE_LIMIT), 'limited', { limited: 'yes', signedIn: 'yes' }],
    ['waits for an answer', shows(screens.CLAUDE_PERMISSION), 'waiting', { waiting: 'yes' }],
  ] as const)('one that %s', (_name, seen, state, signals) => {
    const found = look(seen)
    expect(found).toMatchObject({ state, alive: 'yes', ...signals })
    expect(found.reason).not.toBeNull()
  })

  test('one that ended, with its code', () => {
    expect(look({ run: 'ended', exitCode: 3 })).toMatchObject({
      state: 'exited',
      alive: 'no',
      reason: 'It ended with code 3.',
    })
  })

  test('one whose runner gives no sign any more', () => {
    const heartbeat = { at: NOW - 60_000, state: 'working' as const }
    expect(look({ heartbeat })).toMatchObject({ state: 'stuck', alive: 'unknown', responsive: 'no' })
    expect(look({ heartbeat: { ...heartbeat, at: NOW - 5_000 } })).toMatchObject({
      state: 'working',
      alive: 'yes',
    })
  })
})

test('output within the time that the definition gives is work', () => {
  expect(look({ ...shows(screens.CLAUDE_WORKING), outputAt: NOW - 599_000 }).state).toBe('working')
  expect(look({ ...shows(screens.CLAUDE_WORKING), outputAt: NOW - 600_000 }).state).toBe('stuck')
})

test('a headless agent may say nothing for hours and is at work, one at a terminal that is not seen is unknown', () => {
  const silent = observation({ outputAt: LONG_AGO })
  expect(assess(silent, null, lifecycle({ runtime: null }), 'claude')).toMatchObject({
    state: 'working',
    stuck: 'no',
  })
  expect(assess(silent, null, lifecycle(), 'claude').state).toBeNull()
})

test('a turn that the service refused is told by its transcript', () => {
  const heartbeat = { at: NOW, state: 'idle' as const }
  const refused = (kind: 'limit' | 'sign-in', text: string) => ({
    trouble: { kind, text },
    activityAt: NOW - 60_000,
  })
  expect(look({ heartbeat, usage: refused('sign-in', 'Please run /login') }).state).toBe('signed-out')
  const limit = refused('limit', "You've hit your limit · resets 5pm (UTC)")
  expect(look({ heartbeat, usage: limit }).state).toBe('limited')
  expect(
    look({ heartbeat: { ...heartbeat, at: NOW + 6 * 3_600_000 }, now: NOW + 6 * 3_600_000, usage: limit })
      .state,
  ).toBe('waiting')
})

test('an idle agent may be silent for hours', () => {
  expect(look({ ...shows(screens.CLAUDE_IDLE), outputAt: LONG_AGO })).toMatchObject({
    state: 'waiting',
    reason: null,
    stuck: 'no',
    signedIn: 'yes',
  })
})

test('the newest evidence wins: waiting is not sticky', () => {
  const asked = event('notification', { text: 'Claude needs your permission to use Bash' })
  const answered = [asked, event('tool-done', { at: NOW - 1000 })]
  expect(look({ events: [asked] })).toMatchObject({ state: 'waiting', reason: asked.text })
  expect(look({ events: answered }).state).toBe('working')
  expect(look({ events: [...answered, event('stop', { at: NOW })] })).toMatchObject({
    state: 'waiting',
    reason: null,
  })
  expect(look({ ...shows(screens.CLAUDE_WORKING), events: [asked] }).state).toBe('working')
})

test('a prompt that was just sent counts before the screen shows it, and an interrupted turn does not go on for ever', () => {
  const idle = shows(screens.CLAUDE_IDLE)
  expect(look({ ...idle, events: [event('prompt', { at: NOW - 500 })] }).state).toBe('working')
  expect(look({ ...idle, events: [event('prompt', { at: NOW - 60_000 })] }).state).toBe('waiting')
})

test('a limit ends when its text says so, also when nothing is painted anew', () => {
  const first = look(shows(screens.CLAUDE_LIMIT))
  expect(first.limits).toEqual([{ name: 'reached', usedPercent: 100, resetsAt: '2026-11-21T17:00:00.000Z' }])
  const later = { ...shows(screens.CLAUDE_LIMIT), now: Date.parse('2026-11-21T16:59:00Z') }
  const second = look(later, first)
  expect(second).toMatchObject({ state: 'limited', since: first.since })
  expect(look({ ...later, now: Date.parse('2026-11-21T17:01:00Z') }, second)).toMatchObject({
    state: 'waiting',
  })
})

test('a state keeps its beginning while it lasts, and a new run begins anew', () => {
  const before = sample({ since: '2026-11-21T08:00:00.000Z' })
  const idle = shows(screens.CLAUDE_IDLE)
  expect(look(idle, before).since).toBe(before.since)
  expect(look(shows(screens.CLAUDE_WORKING), before).since).toBe(new Date(NOW).toISOString())
  expect(look(idle, { ...before, runId: 'run0' }).since).toBe(new Date(NOW).toISOString())
})

test('no secret is in a sample: not where the terminal wrapped it, not in a question, not as an unknown token', () => {
  const secret = 'hunter2-hunter2-hunter2'
  const token = 'ghp_aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC2'
  const screen = screenOf(`it is hunter2-hunter2-hun\nter2 and ${token}\n Use ${secret}? (y/n)`)
  const found = look({ screen, secrets: [secret], usage: { tool: 'Bash', toolInput: `echo ${secret}` } })
  const text = JSON.stringify(found)
  expect(text).not.toContain('hunter2')
  expect(text).not.toContain('ghp_')
  expect(found.screen[0]).toBe(`it is ${'*'.repeat(19)}`)
  expect(found.reason).toBe(`Use ${'*'.repeat(secret.length)}? (y/n)`)
})

test('restarts belong to whoever restarts and are only carried along', () => {
  const restarts = { count: 2, nextAt: null, gaveUp: 'too often' }
  expect(look({}, sample({ runId: 'run0', restarts })).restarts).toEqual(restarts)
})

test('secrets are hidden before anything is cut, and where the screen breaks them', () => {
  const secret = 'swordfish and 42 herrings'
  const before = (most: number) => 'a'.repeat(most - 8)
  const usage = {
    model: `m-${secret}`,
    sessionId: `s-${secret}`,
    tool: `t-${secret}`,
    toolInput: `${before(120)}${secret} after`,
    userMessage: `${before(200)}${secret} after`,
  }
  const inTranscript = look({
    usage: { ...usage, trouble: { kind: 'limit', text: `${before(300)}${secret}` } },
    secrets: [secret],
  })
  expect(inTranscript).toMatchObject({ state: 'limited', reason: expect.stringContaining('****') })
  const asking = (question: string) =>
    ['● Bash command', ...question.split('\n'), '❯ 1. Yes', '  2. No', '', 'Enter to confirm'].join('\n')
  const cut = look({ ...shows(asking(`${before(300)}${secret}?`)), secrets: [secret] })
  const wrapped = look({
    ...shows(asking('Run it with swordfish an\nd 42 herrings now?')),
    secrets: [secret],
  })
  for (const found of [cut, wrapped]) expect(found).toMatchObject({ state: 'waiting' })
  expect(wrapped.reason).toBe('************* now?')
  const all = JSON.stringify([inTranscript, cut, wrapped])
  for (const part of ['swordfi', 'herrings', 'd 42']) expect(all).not.toContain(part)
})

test('a screen whose sign is itself a secret is still judged by it', () => {
  const found = look({ ...shows(screens.CLAUDE_LIMIT), secrets: ['limit reached', 'hit your'] })
  expect(found.state).toBe('limited')
  expect(JSON.stringify(found)).not.toMatch(/limit reached|hit your/)
})
