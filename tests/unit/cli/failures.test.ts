import { expect, test } from 'vitest'
import { exitCodeOf, failureLine, failureText } from '../../../src-main/cli/failures.ts'
import { colourPaint, paintFor, plainPaint } from '../../../src-main/cli/style.ts'
import { failure } from '../../../src-preload/contract/errors.ts'

test.each([
  [failure('agent-exited', undefined, { exitCode: 7 }), 7],
  [failure('agent-exited'), 1],
  [failure('usage'), 2],
  [failure('invalid-slug'), 1],
  [failure('engine-down'), 1],
])('exit code of $code', (failed, code) => {
  expect(exitCodeOf(failed)).toBe(code)
})

test('the JSON error is one line with every key', () => {
  const line = failureLine(failure('engine-down', 'Two\nlines.'))
  expect(line).not.toContain('\n')
  expect(JSON.parse(line)).toEqual({
    error: { code: 'engine-down', message: 'Two\nlines.', detail: null, retryable: true, slug: null },
  })
  const exited = failure('agent-exited', 'x', { slug: 'web', exitCode: 7, detail: 'd' })
  expect(JSON.parse(failureLine(exited)).error).toMatchObject({ slug: 'web', exitCode: 7, detail: 'd' })
})

test('a person gets the sentence, the detail below it, and the next step', () => {
  const failed = failure('usage', 'Bad flag.', { detail: 'first\nsecond' })
  expect(failureText(failed, plainPaint, 'start')).toBe(
    ['icebox: Bad flag.', '  first', '  second', '  See `icebox start --help`.'].join('\n'),
  )
  expect(failureText(failure('engine-down', 'Down.'), plainPaint, undefined)).toContain('icebox doctor')
})

test('colours only on a terminal, and NO_COLOR is respected', () => {
  expect(paintFor(true, {})).toBe(colourPaint)
  expect(paintFor(false, {})).toBe(plainPaint)
  expect(paintFor(true, { NO_COLOR: '1' })).toBe(plainPaint)
  expect(paintFor(true, { NO_COLOR: '' })).toBe(colourPaint)
  expect(paintFor(true, { TERM: 'dumb' })).toBe(plainPaint)
})
