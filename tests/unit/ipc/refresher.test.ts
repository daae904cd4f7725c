import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRefresher } from '../../../src-main/ipc/refresher.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const fail = (error: unknown) => {
  throw error
}

test('a burst is one run at once and one afterwards, not twice at the same time', async () => {
  let runs = 0
  let atOnce = 0
  let most = 0
  const refresher = createRefresher(
    async () => {
      runs += 1
      atOnce += 1
      most = Math.max(most, atOnce)
      await new Promise((resolve) => setTimeout(resolve, 5))
      atOnce -= 1
    },
    { gapMs: 16, retryMs: 1000, onError: fail },
  )
  for (let index = 0; index < 1000; index += 1) refresher.request()
  expect(runs).toBe(1)
  await vi.advanceTimersByTimeAsync(100)
  expect(runs).toBe(2)
  expect(most).toBe(1)
})

test('under an endless storm a slow job is at most half of the time at work', async () => {
  let runs = 0
  const refresher = createRefresher(
    async () => {
      runs += 1
      await new Promise((resolve) => setTimeout(resolve, 100))
    },
    { gapMs: 16, retryMs: 1000, onError: fail },
  )
  for (let index = 0; index < 200; index += 1) {
    refresher.request()
    await vi.advanceTimersByTimeAsync(10)
  }
  expect(runs).toBeGreaterThanOrEqual(9)
  expect(runs).toBeLessThanOrEqual(11)
})

test('a failing job is tried again with growing pauses until it works', async () => {
  const errors: unknown[] = []
  let attempts = 0
  const refresher = createRefresher(
    async () => {
      attempts += 1
      if (attempts < 4) throw new Error(`try ${attempts}`)
    },
    { gapMs: 16, retryMs: 1000, onError: (error) => errors.push(error) },
  )
  refresher.request()
  await vi.advanceTimersByTimeAsync(6900)
  expect(attempts).toBe(3)
  await refresher.settled()
  await vi.advanceTimersByTimeAsync(200)
  expect(attempts).toBe(4)
  expect(errors).toHaveLength(3)
})

test('nothing runs after close', async () => {
  let runs = 0
  const refresher = createRefresher(
    async () => {
      runs += 1
    },
    { gapMs: 16, retryMs: 1000, onError: fail },
  )
  refresher.request()
  await vi.advanceTimersByTimeAsync(0)
  refresher.request()
  refresher.close()
  await vi.advanceTimersByTimeAsync(1000)
  await refresher.settled()
  expect(runs).toBe(1)
})
