import { describe, expect, test } from 'vitest'
import { BACKENDS } from '../../../src-main/backends/registry.ts'
import {
  backendFlag,
  colorFlag,
  labelFlag,
  refuseUnsupported,
  secretNames,
  sessionFlags,
} from '../../../src-main/cli/run-flags.ts'
import { nonEmpty, wholeNumber } from '../../../src-main/cli/usage.ts'

const code = (name: string) => expect.objectContaining({ code: name })

describe('backends', () => {
  test('known ones', () => {
    expect([backendFlag('docker'), backendFlag('host'), backendFlag(undefined)]).toEqual([
      'docker',
      'host',
      undefined,
    ])
  })
  test('an unknown one names the known', () => {
    expect(() => backendFlag('foo')).toThrow(code('unknown-backend'))
    expect(() => backendFlag('foo')).toThrow(/docker.*host/)
  })
  test('every one that there is', () => {
    expect(BACKENDS.map((name) => backendFlag(name))).toEqual([...BACKENDS])
  })
  test('an empty one', () => {
    expect(() => backendFlag('')).toThrow(code('usage'))
  })
})

describe('secrets', () => {
  test('are named', () => {
    expect(secretNames(['A_B', 'c1'])).toEqual(['A_B', 'c1'])
  })
  test('never come with a value, and the value is not repeated', () => {
    expect(() => secretNames(['KEY=hunter2'])).toThrow(code('usage'))
    expect(() => secretNames(['KEY=hunter2'])).not.toThrow(/hunter2/)
  })
  test.each(['', '1A', 'A B', 'A-B'])('%j is no name', (name) => {
    expect(() => secretNames([name])).toThrow(code('usage'))
  })
})

test.each(['', '  ', '!!!', 'x'.repeat(201)])('%j is no label', (label) => {
  expect(() => labelFlag(label)).toThrow(code('usage'))
})
test.each(['blue', '#fff', '#00FF00', undefined])('%j is a colour', (color) => {
  expect(colorFlag(color)).toBe(color)
})
test.each(['', '#ff', 'a b', '\u001b[31m'])('%j is no colour', (color) => {
  expect(() => colorFlag(color)).toThrow(code('usage'))
})
test('what a command can not do with a flag is refused, not ignored', () => {
  const reasons = { label: 'A resumed bottle keeps its name.' }
  expect(() => refuseUnsupported({ label: 'x' }, reasons)).toThrow(code('unsupported'))
  expect(() => refuseUnsupported({ label: false, force: true }, reasons)).not.toThrow()
})

describe('sessions', () => {
  test.each(['continue-or-new', 'continue', 'new', 'resume'] as const)('%s', (session) => {
    expect(sessionFlags({ session })).toEqual({ session })
  })
  test('an id alone means resume', () => {
    expect(sessionFlags({ resumeId: 'a-1' })).toEqual({ session: 'resume', resumeId: 'a-1' })
    expect(sessionFlags({})).toEqual({})
  })
  test.each([
    { session: 'again' },
    { session: '' },
    { session: 'new', resumeId: 'a-1' },
    { resumeId: '' },
    { resumeId: '--help' },
  ])('%j is refused', (flags) => {
    expect(() => sessionFlags(flags)).toThrow(code('usage'))
  })
})
test.each(['', '0', '51', '1.5', '-1', 'x', '1e1', '9999999999'])('%j forks', (text) => {
  expect(() => wholeNumber('-n', text, 1, 50)).toThrow(code('usage'))
})
test('a prompt is not empty and holds no NUL', () => {
  expect(nonEmpty('--prompt', ' a ')).toBe(' a ')
  expect(() => nonEmpty('--prompt', ' \n')).toThrow(code('usage'))
  expect(() => nonEmpty('--prompt', 'a\0b')).toThrow(code('usage'))
})
