import { expect, test } from 'vitest'
import { formatAge, formatBytes, plural } from '../../../src-main/cli/units.ts'

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [1540, '1.5 kB'],
  [99_940, '99.9 kB'],
  [99_960, '100 kB'],
  [310_000_000, '310 MB'],
  [999_499, '999 kB'],
  [999_500, '1 MB'],
  [2.4e12, '2.4 TB'],
  [5e15, '5000 TB'],
  [-1, '0 B'],
])('%d bytes read as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})

const NOW = Date.parse('2026-06-01T12:00:00Z')
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString()

test.each([
  [0, 'just now'],
  [-30, 'just now'],
  [2, '2s ago'],
  [59, '59s ago'],
  [60, '1m ago'],
  [3599, '59m ago'],
  [3600, '1h ago'],
  [86_399, '23h ago'],
  [86_400, '1d ago'],
  [364 * 86_400, '364d ago'],
  [366 * 86_400, '1y ago'],
])('%d seconds ago', (seconds, text) => {
  expect(formatAge(ago(seconds), NOW)).toBe(text)
})

test('no date and a damaged one have no age', () => {
  expect(formatAge(null, NOW)).toBe('')
  expect(formatAge('', NOW)).toBe('')
  expect(formatAge('yesterday', NOW)).toBe('')
})

test('one and many', () => {
  expect([plural(0, 'run'), plural(1, 'run'), plural(2, 'run')]).toEqual(['0 runs', '1 run', '2 runs'])
})
