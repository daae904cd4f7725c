import { expect, test } from 'vitest'
import { isWithinSize } from '../../../src-main/ipc/message-size.ts'

test('what calls carry is small enough', () => {
  expect(
    isWithinSize(['bottle:start', { agent: 'a', list: ['b'], none: null, prompt: 'x'.repeat(50_000) }]),
  ).toBe(true)
  expect(isWithinSize(undefined)).toBe(true)
})

test('long strings, many entries, large buffers, deep nests and long names are not', () => {
  let deep: unknown = 1
  for (let i = 0; i < 40; i += 1) deep = [deep]
  const circle: { self?: unknown } = {}
  circle.self = circle
  for (const value of [
    'x'.repeat(1_048_577),
    Array.from({ length: 1_048_577 }, () => 0),
    ['x'.repeat(600_000), 'x'.repeat(600_000)],
    new Uint8Array(2_000_000),
    new ArrayBuffer(2_000_000),
    { ['x'.repeat(1_048_577)]: 1 },
    new Map([[1, 2]]),
    new Set([1]),
    deep,
    circle,
  ])
    expect(isWithinSize(value)).toBe(false)
})

test('an array that is nearly all hole is as long as it says', () => {
  const sparse: number[] = []
  sparse[1_000_000_000] = 1
  expect(isWithinSize(sparse)).toBe(false)
})
