import { expect, test } from 'vitest'
import { until } from '../../../../src-renderer/health/until.ts'

test('what is to come is told as a span, what is due as now, and what is no time not at all', () => {
  const now = Date.parse('2026-11-21T08:00:00Z')
  expect(until('2026-11-21T09:35:00Z', now)).toBe('in 1 h 35 min')
  expect(until('2026-11-21T08:00:12Z', now)).toBe('in 12 s')
  expect(until('2026-11-21T07:59:00Z', now)).toBe('now')
  expect(until('soon', now)).toBe('–')
})
