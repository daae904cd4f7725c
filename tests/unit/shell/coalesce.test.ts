import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { coalesce } from '../../../src-main/shell/coalesce.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('many changes are one job, soon after the first of them, and the next starts anew', () => {
  const job = vi.fn()
  const request = coalesce(job, 100, new AbortController().signal)
  for (let n = 0; n < 500; n += 1) request()
  vi.advanceTimersByTime(99)
  request()
  expect(job).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(job).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(1000)
  expect(job).toHaveBeenCalledTimes(1)
  request()
  vi.advanceTimersByTime(100)
  expect(job).toHaveBeenCalledTimes(2)
})

test('nothing is done once the app ends', () => {
  const job = vi.fn()
  const stop = new AbortController()
  const request = coalesce(job, 100, stop.signal)
  request()
  stop.abort()
  request()
  vi.advanceTimersByTime(1000)
  expect(job).not.toHaveBeenCalled()
})
