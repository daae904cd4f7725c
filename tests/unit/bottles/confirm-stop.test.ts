import { expect, test, vi } from 'vitest'
import { askToStop, mayStop, neverStopping } from '../../../src-main/bottles/confirm-stop.ts'
import { bottleError } from '../../../src-main/system/bottle-error.ts'

const context = (extras: object = {}) => ({
  signal: new AbortController().signal,
  progress: () => undefined,
  notice: () => undefined,
  confirm: async () => false,
  ...extras,
})
const QUESTION = 'Apple container 1.0.0 has to stop web-1 for this. Stop it?'

test('the question goes to whoever can answer it', async () => {
  const confirmStop = vi.fn(async () => true)
  expect(await askToStop('web-1', context({ confirmStop })).confirm(QUESTION)).toBe(true)
  expect(confirmStop).toHaveBeenCalledWith(QUESTION)
  expect(await askToStop('web-1', context({ confirm: async () => true })).confirm(QUESTION)).toBe(true)
  expect(await askToStop('web-1', context()).confirm(QUESTION)).toBe(false)
})

test('a declined stop says what was asked; other failures stay as they are', async () => {
  const asked = askToStop('web-1', context())
  const full = bottleError('disk-full')
  expect(asked.explain(bottleError('cancelled'))).toMatchObject({
    message: expect.stringMatching(/^Cancelled/),
  })
  await asked.confirm(QUESTION)
  expect(asked.explain(bottleError('cancelled'))).toMatchObject({
    code: 'cancelled',
    slug: 'web-1',
    message: 'web-1 was not frozen and goes on: stopping it was declined.',
    detail: QUESTION,
  })
  expect(asked.explain(full)).toBe(full)
})

test('a cancelled freeze is not told as a declined one', async () => {
  const stop = new AbortController()
  const asked = askToStop('web-1', context({ signal: stop.signal }))
  await asked.confirm(QUESTION)
  stop.abort()
  const thrown = bottleError('cancelled')
  expect(asked.explain(thrown)).toBe(thrown)
})

test('a freeze that nobody watches never stops anything', async () => {
  const unwatched = neverStopping('web-1', context({ confirmStop: async () => true }))
  await expect(askToStop('web-1', unwatched).confirm(QUESTION)).rejects.toMatchObject({
    code: 'unsupported',
    slug: 'web-1',
    message: expect.stringContaining('web-1 was not frozen'),
    detail: QUESTION,
  })
  expect(await askToStop('web-1', mayStop(context())).confirm(QUESTION)).toBe(true)
})
