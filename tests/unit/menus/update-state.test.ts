import { describe, expect, test } from 'vitest'
import {
  afterUpdateEvent,
  answerAboutUpdates,
  firstUpdateState,
  mayCheck,
  type UpdateEvent,
  type UpdateState,
  untilNextCheck,
} from '../../../src-main/menus/update-state.ts'

const following = (state: UpdateState, ...events: readonly UpdateEvent[]) =>
  events.reduce(afterUpdateEvent, state)
const FOUND: UpdateEvent = { event: 'found', version: '2.0.0' }
const LOADED: UpdateEvent = { event: 'loaded', version: '2.0.0' }
const FAILED: UpdateEvent = { event: 'failed', reason: 'no network' }

describe('at the start', () => {
  const facts = { isPackaged: true, hasSource: true, platform: 'darwin', isAppImage: false } as const
  test.each([
    [{}, { is: 'idle' }],
    [{ isPackaged: false }, { is: 'off', why: 'development' }],
    [{ hasSource: false }, { is: 'off', why: 'no-source' }],
    [{ platform: 'linux' }, { is: 'off', why: 'package' }],
    [{ platform: 'linux', isAppImage: true }, { is: 'idle' }],
    [
      { platform: 'linux', isAppImage: true, hasSource: false },
      { is: 'off', why: 'no-source' },
    ],
  ] as const)('%o', (other, state) => {
    expect(firstUpdateState({ ...facts, ...other })).toEqual(state)
  })
})

describe('what happens', () => {
  test('a look that finds nothing', () => {
    expect(following({ is: 'idle' }, { event: 'check' }, { event: 'none' })).toEqual({ is: 'idle' })
  })
  test('a look that finds something, until it is loaded', () => {
    const loading = following({ is: 'idle' }, { event: 'check' }, FOUND, { event: 'progress', percent: 41.6 })
    expect(loading).toEqual({ is: 'loading', version: '2.0.0', percent: 42 })
    expect(following(loading, LOADED)).toEqual({ is: 'ready', version: '2.0.0' })
  })
  test('a failure, and a look after it', () => {
    const failed = following({ is: 'idle' }, { event: 'check' }, FAILED)
    expect(failed).toEqual({ is: 'failed', reason: 'no network' })
    expect(following(failed, { event: 'check' })).toEqual({ is: 'checking' })
  })
  test.each<UpdateEvent>([
    { event: 'check' },
    { event: 'none' },
    FOUND,
    { event: 'progress', percent: 3 },
    FAILED,
  ])('an update that is ready stays ready after %o', (event) => {
    const ready: UpdateState = { is: 'ready', version: '2.0.0' }
    expect(following(ready, event)).toBe(ready)
  })
  test.each<UpdateEvent>([{ event: 'check' }, FOUND, LOADED, FAILED])('off stays off after %o', (event) => {
    const off: UpdateState = { is: 'off', why: 'no-source' }
    expect(following(off, event)).toBe(off)
  })
})

test('nobody looks twice at once, nor for what is there', () => {
  expect(mayCheck({ is: 'idle' })).toBe(true)
  expect(mayCheck({ is: 'failed', reason: '' })).toBe(true)
  expect(mayCheck({ is: 'checking' })).toBe(false)
  expect(mayCheck({ is: 'ready', version: '2' })).toBe(false)
  expect(mayCheck({ is: 'off', why: 'package' })).toBe(false)
})

test('the first look comes after half a minute at the earliest, the others hours apart', () => {
  expect([untilNextCheck(true, 0), untilNextCheck(true, 1)]).toEqual([30_000, 90_000])
  expect([untilNextCheck(false, 0), untilNextCheck(false, 1)]).toEqual([6 * 3_600_000, 7 * 3_600_000])
})

describe('the answer', () => {
  test('says why there are none', () => {
    expect(answerAboutUpdates({ is: 'off', why: 'no-source' }, '1.0.0')?.detail).toContain('no place')
  })
  test('offers to install only what is there', () => {
    const states: readonly UpdateState[] = [
      { is: 'idle' },
      { is: 'loading', version: '2', percent: 3 },
      { is: 'failed', reason: 'x' },
      { is: 'off', why: 'package' },
    ]
    expect(states.map((state) => answerAboutUpdates(state, '1')?.canInstall)).toEqual([
      false,
      false,
      false,
      false,
    ])
    expect(answerAboutUpdates({ is: 'ready', version: '2' }, '1')?.canInstall).toBe(true)
  })
  test('waits until something is known', () => {
    expect(answerAboutUpdates({ is: 'checking' }, '1')).toBeNull()
  })
})
