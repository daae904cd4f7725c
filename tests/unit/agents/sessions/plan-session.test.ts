import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SESSION_MODES } from '../../../../src-main/agents/lifecycle.ts'
import { type SessionAbility, sessionAbility } from '../../../../src-main/agents/sessions/capabilities.ts'
import {
  planSession,
  type SessionInput,
  sessionWish,
} from '../../../../src-main/agents/sessions/plan-session.ts'

const ALL: SessionAbility = { takesNewId: true, continuesNewest: true, resumesById: true }
const NONE: SessionAbility = { takesNewId: false, continuesNewest: false, resumesById: false }
const NOW = Date.parse('2026-11-21T12:00:00Z')
const KNOWN = { provider: 'claude', id: 'known-1', lastActivityAt: '2026-11-21T11:30:00Z' }

const plan = (changes: Partial<SessionInput> = {}) =>
  planSession({
    provider: 'claude',
    ability: ALL,
    mode: null,
    maxAgeMinutes: null,
    resumeId: null,
    known: null,
    isKnownEmpty: false,
    resuming: false,
    now: NOW,
    newId: 'new-1',
    ...changes,
  })

const fresh = { sessionId: 'new-1', isResuming: false, fresh: true }
const on = (sessionId: string | null) => ({ sessionId, isResuming: true, fresh: false })

describe('a new bottle', () => {
  it.each([null, 'new', 'continue-or-new'] as const)('%s begins anew, under an id of ours', (mode) => {
    expect(plan({ mode })).toEqual({ ...fresh, notices: [] })
  })
  it('a program that makes its own ids gets none', () => {
    expect(plan({ provider: 'codex', ability: { ...ALL, takesNewId: false } })).toMatchObject({
      sessionId: null,
      isResuming: false,
    })
  })
  it('continue leaves it to the program and says so', () => {
    const planned = plan({ mode: 'continue' })
    expect(planned).toMatchObject(on(null))
    expect(planned.notices.join()).toMatch(/No conversation is known/)
  })
  it('resume takes the id that is named', () => {
    expect(plan({ mode: 'resume', resumeId: 'x-1' })).toMatchObject(on('x-1'))
  })
})

describe('files of an earlier run', () => {
  const resuming = { resuming: true, known: KNOWN }
  it.each([null, 'continue', 'continue-or-new'] as const)('%s goes on with what is known', (mode) => {
    expect(plan({ ...resuming, mode })).toEqual({ ...on('known-1'), notices: [] })
  })
  it('new begins anew', () => {
    expect(plan({ ...resuming, mode: 'new' })).toEqual({ ...fresh, notices: [] })
  })
  it('resume takes the named one before the captured one', () => {
    expect(plan({ ...resuming, mode: 'resume', resumeId: 'x-1' })).toMatchObject(on('x-1'))
    expect(plan({ ...resuming, mode: 'resume' })).toMatchObject(on('known-1'))
  })
  it('what nobody looked for is left to the program, as ever', () => {
    expect(plan({ resuming: true })).toEqual({ ...on(null), notices: [] })
  })
  it('none found: a new one with a word, and continue still asks the program', () => {
    const empty = { resuming: true, isKnownEmpty: true }
    expect(plan(empty)).toMatchObject({ ...fresh, notices: [expect.stringMatching(/no conversation/)] })
    expect(plan({ ...empty, mode: 'continue' })).toMatchObject(on(null))
  })
  it.each([null, 'continue', 'continue-or-new'] as const)('%s keeps the greatest age', (mode) => {
    expect(plan({ ...resuming, mode, maxAgeMinutes: 30 })).toMatchObject(on('known-1'))
    const old = plan({ ...resuming, mode, maxAgeMinutes: 29 })
    expect(old).toMatchObject(fresh)
    expect(old.notices.join()).toMatch(/29 minutes/)
  })
  it('an age that nobody knows is told, and the conversation kept', () => {
    const planned = plan({ resuming: true, maxAgeMinutes: 1 })
    expect(planned).toMatchObject(on(null))
    expect(planned.notices.join()).toMatch(/not known/)
  })
})

it('weakness 16: resume never turns into something else', () => {
  expect(() => plan({ mode: 'resume' })).toThrow(expect.objectContaining({ code: 'not-found' }))
  expect(() => plan({ mode: 'resume', resuming: true, isKnownEmpty: true })).toThrow(/--resume-id/)
})

describe('weakness 16: a mode that a provider can not do is an error before anything starts', () => {
  const custom = { provider: 'custom', ability: NONE, resuming: true } as const
  it.each(['continue', 'resume'] as const)('%s', (mode) => {
    expect(() => plan({ ...custom, mode, resumeId: 'x' })).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    )
  })
  it('going on or beginning anew is always possible', () => {
    expect(plan({ ...custom, mode: 'continue-or-new' })).toMatchObject(on(null))
    expect(plan({ ...custom, mode: 'new' })).toMatchObject({ fresh: true, sessionId: null })
  })
  it('a command that needs an id and has none', () => {
    const ability = { ...NONE, resumesById: true }
    expect(() => plan({ ...custom, ability, mode: 'continue' })).toThrow(
      expect.objectContaining({ code: 'not-found' }),
    )
  })
})

it('what a custom agent can do is what its resume command says', () => {
  const of = (resume: readonly string[] | null) =>
    sessionAbility({ provider: 'custom', command: { headless: null, interactive: null, resume } })
  expect(of(null)).toEqual(NONE)
  expect(of(['a', '--continue'])).toMatchObject({ continuesNewest: true, resumesById: false })
  expect(of(['a', '--id={session}'])).toMatchObject({ continuesNewest: false, resumesById: true })
})

describe('who decides the mode', () => {
  const defined = { mode: 'new', maxAgeMinutes: 5, resumeId: 'd-1' } as const
  const asked = { mode: null, resumeId: null }
  it('the definition for a start, and it does not end a conversation on a resume', () => {
    expect(sessionWish(asked, defined, false)).toEqual({ mode: 'new', resumeId: 'd-1', maxAgeMinutes: 5 })
    expect(sessionWish(asked, defined, true)).toMatchObject({ mode: null, resumeId: null })
    expect(sessionWish(asked, { ...defined, mode: 'continue' }, true)).toMatchObject({ mode: 'continue' })
  })
  it('the call before the definition', () => {
    expect(sessionWish({ ...asked, mode: 'continue' }, defined, false).mode).toBe('continue')
    expect(sessionWish({ ...asked, mode: 'resume' }, defined, false).resumeId).toBe('d-1')
    expect(sessionWish({ ...asked, mode: 'resume' }, defined, true).resumeId).toBeNull()
  })
  it('an id alone means resume, and fits no other mode', () => {
    expect(sessionWish({ mode: null, resumeId: 'x' }, defined, true)).toMatchObject({
      mode: 'resume',
      resumeId: 'x',
    })
    expect(() => sessionWish({ mode: 'new', resumeId: 'x' }, defined, true)).toThrow(/--session resume/)
    expect(() => sessionWish({ mode: null, resumeId: '--help' }, defined, true)).toThrow(/session id/)
  })
})

it('any plan either goes on or begins anew, and an id is never invented for a conversation that exists', () => {
  const bool = fc.boolean()
  fc.assert(
    fc.property(
      fc.constantFrom(null, ...SESSION_MODES),
      fc.record({ takesNewId: bool, continuesNewest: bool, resumesById: bool }),
      fc.option(fc.integer({ min: 1, max: 60 }), { nil: null }),
      fc.option(fc.constant('x-1'), { nil: null }),
      fc.option(fc.constant(KNOWN), { nil: null }),
      bool,
      bool,
      (mode, ability, maxAgeMinutes, resumeId, known, resuming, isKnownEmpty) => {
        let planned: ReturnType<typeof plan>
        try {
          planned = plan({ mode, ability, maxAgeMinutes, resumeId, known, resuming, isKnownEmpty })
        } catch {
          return
        }
        expect(planned.fresh).toBe(!planned.isResuming)
        if (planned.isResuming) expect([null, 'x-1', 'known-1']).toContain(planned.sessionId)
        else expect(planned.sessionId).toBe(ability.takesNewId ? 'new-1' : null)
        if (mode === 'new') expect(planned.fresh).toBe(true)
        if (mode === 'resume') expect(planned.sessionId).not.toBeNull()
      },
    ),
  )
})
