import { describe, expect, it, test } from 'vitest'
import type { ResolvedAgent } from '../../../src-main/agents/definitions.ts'
import { DEFAULT_LIFECYCLE } from '../../../src-main/agents/lifecycle.ts'
import type { Backend } from '../../../src-main/backends/backend.ts'
import { sessionOfSnapshot } from '../../../src-main/bottles/known-session.ts'
import { modeOf, requireAccess, runtimeOf } from '../../../src-main/bottles/run-needs.ts'
import { restartWish } from '../../../src-main/bottles/run-order.ts'
import { parseMetadata, parseOrder, type RunOrder } from '../../../src-main/state/metadata.ts'
import type { Snapshot } from '../../../src-preload/contract/index.ts'

const ORDER: RunOrder = {
  runtime: 'terminal',
  session: null,
  resumeId: null,
  sessionId: 's-1',
  isSessionMoved: false,
  secretNames: ['TOKEN'],
  allowMissingSecrets: true,
  envFiles: ['/e'],
}

describe('weakness 16: a restart says what the start said', () => {
  it.each(['new', 'continue', 'continue-or-new'] as const)('%s', (session) => {
    expect(restartWish(undefined, { ...ORDER, session }, true)).toEqual({ mode: session, resumeId: null })
  })
  it('its own word comes first', () => {
    const wish = restartWish('continue-or-new', { ...ORDER, session: 'resume', resumeId: 'x' }, true)
    expect(wish).toEqual({ mode: 'continue-or-new', resumeId: null })
  })
  it('a conversation named at the start is the bottle’s own once it was captured', () => {
    const order = { ...ORDER, session: 'resume', resumeId: 'x-1' }
    expect(restartWish(undefined, order, true)).toEqual({ mode: 'resume', resumeId: null })
    expect(restartWish(undefined, order, false)).toEqual({ mode: 'resume', resumeId: 'x-1' })
    expect(restartWish(undefined, { ...order, session: null }, false).resumeId).toBe('x-1')
  })
  it('nothing said and older records go on as ever', () => {
    expect(restartWish(undefined, ORDER, true)).toEqual({ mode: null, resumeId: null })
    expect(restartWish(undefined, undefined, false)).toEqual({ mode: null, resumeId: null })
    expect(restartWish(undefined, { ...ORDER, session: 'of a later version' }, true).mode).toBeNull()
  })
})

test('an order survives in the record of its run, with keys of later versions', () => {
  const run = { id: 'r1', startedAt: '', order: { ...ORDER, later: 1 } }
  const parsed = parseMetadata({ icebox: { runs: [run, { id: 'r2' }] } }).icebox?.runs
  expect(parsed?.[0]?.order).toMatchObject({ ...ORDER, later: 1 })
  expect(parsed?.[1]).not.toHaveProperty('order')
  expect(parseOrder({ runtime: 'rocket', secretNames: [1, 'A'] })).toMatchObject({
    runtime: null,
    secretNames: ['A'],
  })
})

describe('how a run is kept', () => {
  const agent = (runtime: 'terminal' | 'turns' | null) =>
    ({ agent: { lifecycle: { ...DEFAULT_LIFECYCLE, runtime } } }) as ResolvedAgent
  const asked = (mode: 'headless' | 'interactive', prompt: string | null) =>
    ({ mode, prompt }) as Parameters<typeof runtimeOf>[0]

  it('by its definition, but for one turn that a call asks for', () => {
    expect(runtimeOf(asked('interactive', null), agent('terminal'))).toBe('terminal')
    expect(runtimeOf(asked('headless', null), agent('terminal'))).toBe('terminal')
    expect(runtimeOf(asked('headless', 'x'), agent('terminal'))).toBeNull()
    expect(runtimeOf(asked('headless', 'x'), agent('turns'))).toBe('turns')
    expect(runtimeOf(asked('headless', 'x'), agent(null))).toBeNull()
    expect(runtimeOf(asked('headless', 'x'), null)).toBeNull()
  })
  it('decides whether it has a terminal', () => {
    expect(modeOf(asked('headless', null), 'terminal')).toBe('interactive')
    expect(modeOf(asked('interactive', null), 'turns')).toBe('headless')
    expect(modeOf(asked('interactive', null), null)).toBe('interactive')
  })
  it('needs a backend that can look after it', () => {
    const bare = { name: 'smolmachines' } as unknown as Backend
    const able = { name: 'host', access: async () => ({}) } as unknown as Backend
    expect(() => requireAccess('terminal', bare)).toThrow(expect.objectContaining({ code: 'unsupported' }))
    expect(() => requireAccess(null, bare)).not.toThrow()
    expect(() => requireAccess('turns', able)).not.toThrow()
  })
})

test('what a snapshot tells of its conversation', () => {
  const mark = { provider: 'claude', id: 'a', lastActivityAt: '' }
  const of = (changes: Partial<Snapshot>) =>
    sessionOfSnapshot({ slug: 'box', reason: 'user', ...changes } as Snapshot, 'box')
  expect(of({ session: mark })).toEqual({ mark, isEmpty: false, isElsewhere: false })
  expect(of({ session: null })).toEqual({ mark: null, isEmpty: true, isElsewhere: false })
  expect(of({})).toEqual({ mark: null, isEmpty: false, isElsewhere: false })
  expect(of({ slug: 'origin' }).isElsewhere).toBe(true)
  expect(of({ reason: 'carried' }).isElsewhere).toBe(true)
  expect(of({ reason: 'imported' }).isElsewhere).toBe(true)
  expect(sessionOfSnapshot(null, 'box')).toEqual({ mark: null, isEmpty: true, isElsewhere: false })
})
