import { expect, test } from 'vitest'
import { type SuiteResult, stepResult, summarize } from '../../support/tally.ts'

const suite = (extra: Partial<SuiteResult>): SuiteResult => ({
  suite: 'unit',
  passed: 0,
  failures: [],
  skips: [],
  milliseconds: 0,
  ...extra,
})

test('suites add up to one last line', () => {
  const { last, exitCode } = summarize([
    suite({ passed: 3 }),
    suite({ passed: 2, skips: [{ test: 'a', reason: 'no bwrap' }] }),
  ])
  expect(last).toBe('5 passed, 0 failed, 1 skipped')
  expect(exitCode).toBe(0)
})

test('a failure fails the run and is shown in full', () => {
  const { lines, last, exitCode } = summarize([
    suite({ passed: 1, failures: [{ test: 'freeze', text: 'first\nsecond' }] }),
  ])
  expect(last).toBe('1 passed, 1 failed, 0 skipped')
  expect(exitCode).toBe(1)
  expect(lines.join('\n')).toMatch(/FAILED {2}freeze\n\s+first\n\s+second/)
})

test('a run of nothing fails', () => {
  expect(summarize([]).exitCode).toBe(1)
  expect(summarize([suite({ skips: [{ test: 'a', reason: 'why' }] })]).exitCode).toBe(1)
})

test('a skip needs a reason', () => {
  const { last, exitCode } = summarize([suite({ passed: 1, skips: [{ test: 'a', reason: '' }] })])
  expect(last).toBe('1 passed, 1 failed, 0 skipped')
  expect(exitCode).toBe(1)
})

test('a step counts as one test', () => {
  expect(summarize([stepResult('lint', 5, null)]).last).toBe('1 passed, 0 failed, 0 skipped')
  expect(summarize([stepResult('lint', 5, 'bad')]).last).toBe('0 passed, 1 failed, 0 skipped')
})
