import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { pause } from '../../../../src-main/bottles/supervise/pause.ts'
import { systemClock } from '../../../../src-main/bottles/supervise/wheel.ts'

test('it ends with its time or with the signal, and leaves nothing on the signal', async () => {
  const stop = new AbortController()
  for (let n = 0; n < 20; n++) await pause(systemClock, 1, stop.signal)
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
  const long = pause(systemClock, 3_600_000, stop.signal)
  stop.abort()
  await long
  await pause(systemClock, 3_600_000, stop.signal)
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
})
