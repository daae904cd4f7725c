import { expect, test } from 'vitest'
import { rememberValues, type ValuesLook } from '../../../../src-main/bottles/supervise/known-values.ts'

function scene(looks: readonly (ValuesLook | null)[]) {
  const clock = { now: 1_000 }
  let done = 0
  const values = rememberValues(
    async () => {
      const found = looks[done++]
      if (!found) throw new Error('locked')
      return found
    },
    () => clock.now,
  )
  const later = (seconds: number) => {
    clock.now += seconds * 1000
    return values()
  }
  return { values, later, done: () => done }
}

test('values that are all known are looked at once', async () => {
  const { values, later, done } = scene([{ values: ['a'], isWhole: true }])
  expect([await values(), await later(3600)]).toEqual([['a'], ['a']])
  expect(done()).toBe(1)
})

test('a look that failed is done again, though not at once, and what was told before is kept', async () => {
  const { values, later, done } = scene([
    { values: ['of a file'], isWhole: false },
    null,
    { values: ['of the keychain'], isWhole: true },
  ])
  expect(await values()).toEqual(['of a file'])
  expect(await later(5)).toEqual(['of a file'])
  expect(done()).toBe(1)
  expect(await later(30)).toEqual(['of a file'])
  expect(await later(30)).toEqual(['of a file', 'of the keychain'])
  await later(3600)
  expect(done()).toBe(3)
})

test('all who ask meanwhile wait for the same look', async () => {
  const { values, later, done } = scene([null, { values: ['a'], isWhole: true }])
  expect(await Promise.all([values(), values()])).toEqual([[], []])
  expect(await Promise.all([later(60), values()])).toEqual([['a'], ['a']])
  expect(done()).toBe(2)
})
