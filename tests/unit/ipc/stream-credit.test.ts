import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createStreamCredit } from '../../../src-main/ipc/stream-credit.ts'

const never = new AbortController().signal

test('the sender is held back at the window and goes on after an acknowledgement', async () => {
  const credit = createStreamCredit(100)
  credit.spend(await credit.available(never))
  let isWaiting = true
  const next = credit.available(never).then((bytes) => {
    isWaiting = false
    return bytes
  })
  await Promise.resolve()
  expect(isWaiting).toBe(true)
  expect(credit.refill(30)).toBe(true)
  expect(await next).toBe(30)
})

test('an acknowledgement of more than was sent is refused and gives no credit', async () => {
  const credit = createStreamCredit(100)
  credit.spend(40)
  expect(credit.refill(41)).toBe(false)
  expect(await credit.available(never)).toBe(60)
})

test('closing wakes a waiting sender with the reason', async () => {
  const credit = createStreamCredit(1)
  credit.spend(1)
  const stop = new AbortController()
  const waiting = credit.available(stop.signal)
  stop.abort(new Error('closed'))
  await expect(waiting).rejects.toThrow('closed')
})

test('whatever is sent and acknowledged, the window is never passed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 70 }), fc.nat(90)), { maxLength: 50 }),
      async (steps) => {
        const credit = createStreamCredit(64)
        let onTheWay = 0
        for (const [wanted, shown] of steps) {
          if (onTheWay < 64) {
            const size = Math.min(wanted, await credit.available(never))
            expect(size).toBeGreaterThan(0)
            credit.spend(size)
            onTheWay += size
          }
          expect(onTheWay).toBeLessThanOrEqual(64)
          if (credit.refill(shown)) onTheWay -= shown
          expect(onTheWay).toBeGreaterThanOrEqual(0)
        }
      },
    ),
  )
})
