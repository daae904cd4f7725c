import { expect, test } from 'vitest'
import { percent, progressWords, shareOf } from '../../../../src-renderer/tasks/progress-words.ts'
import { task } from '../../../support/renderer-rows.ts'

test('a share is only told where it is known', () => {
  expect(shareOf({ phase: 'x', current: 50, total: 200 })).toBe(0.25)
  expect(shareOf({ phase: 'x', current: 500, total: 200 })).toBe(1)
  expect(shareOf({ phase: 'x', current: 50, total: null })).toBeNull()
  expect(shareOf({ phase: 'x', current: 0, total: 0 })).toBeNull()
  expect(percent(null)).toBe('')
})

test('large numbers are bytes, small ones count things', () => {
  const words = (current: number | null, total: number | null) =>
    progressWords(task('t', { progress: { phase: 'copying-volumes', current, total } }))
  expect(words(null, null)).toBe('Copying volumes')
  expect(words(210_000_000, 340_000_000)).toBe('Copying volumes · 210 MB of 340 MB')
  expect(words(2, 5)).toBe('Copying volumes · 2 of 5')
})
