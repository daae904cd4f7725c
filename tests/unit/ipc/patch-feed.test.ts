import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createPatchFeed } from '../../../src-main/ipc/patch-feed.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('a page that lags gets the newest patch once it has caught up, and then every one again', () => {
  const sent: string[] = []
  let backlog = 0
  const feed = createPatchFeed({ backlog: () => backlog, send: (frame) => void sent.push(frame) }, 100)
  feed.push('1')
  backlog = 100
  for (const frame of ['2', '3', '4']) feed.push(frame)
  vi.advanceTimersByTime(5000)
  expect(sent).toEqual(['1'])
  backlog = 0
  // Nothing may overtake the held one.
  feed.push('5')
  expect(sent).toEqual(['1'])
  vi.advanceTimersByTime(200)
  feed.push('6')
  expect(sent).toEqual(['1', '5', '6'])
})

test('a closed feed sends nothing more', () => {
  const sent: string[] = []
  const feed = createPatchFeed({ backlog: () => 100, send: (frame) => void sent.push(frame) }, 100)
  feed.push('1')
  feed.close()
  vi.advanceTimersByTime(5000)
  expect([sent, vi.getTimerCount()]).toEqual([[], 0])
})
