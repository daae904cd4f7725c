import { expect, test } from 'vitest'
import { age, bytes, duration } from '../../../../src-renderer/ui/format.ts'

test('bytes are short and never show four digits', () => {
  expect([0, 999, 1000, 1240, 310_000_000, 999_600_000, 1_200_000_000, 12_345_678_901].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '1 kB',
    '1.2 kB',
    '310 MB',
    '1 GB',
    '1.2 GB',
    '12 GB',
  ])
})

test('ages', () => {
  const now = Date.parse('2026-11-21T12:00:00Z')
  expect(age('2026-11-21T11:59:30Z', now)).toBe('just now')
  expect(age('2026-11-21T12:00:30Z', now)).toBe('just now')
  expect(age('2026-11-21T11:48:00Z', now)).toBe('12 min ago')
  expect(age('2026-11-21T09:00:00Z', now)).toBe('3 h ago')
  expect(age('2026-11-18T12:00:00Z', now)).toBe('3 d ago')
  expect(age('nonsense', now)).toBe('–')
})

test('durations have two units at most', () => {
  expect([400, 9000, 240_000, 8_040_000, 90_000_000].map(duration)).toEqual([
    '0.4 s',
    '9 s',
    '4 min',
    '2 h 14 min',
    '1 d 1 h',
  ])
})
