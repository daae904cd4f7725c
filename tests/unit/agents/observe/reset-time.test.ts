import { expect, test } from 'vitest'
import { resetTime } from '../../../../src-main/agents/observe/reset-time.ts'

const SEEN = Date.parse('2026-11-21T12:00:30.000Z')

test.each([
  ["You've hit your limit · resets 5pm (UTC)", '2026-11-21T17:00:00.000Z'],
  ["You've hit your limit · resets 11:30am (UTC)", '2026-11-22T11:30:00.000Z'],
  ["You've hit your limit · resets 8pm (Asia/Dhaka)", '2026-11-21T14:00:00.000Z'],
  ['Claude usage limit reached. Your limit will reset at 12am (UTC).', '2026-11-22T00:00:00.000Z'],
  ["You've hit your usage limit. Try again in 3 hours 12 minutes.", '2026-11-21T15:12:30.000Z'],
  ["You've hit your usage limit. Try again in 2 days 1 hour", '2026-11-23T13:00:30.000Z'],
  ['Claude AI usage limit reached|1795262400', '2026-11-21T12:00:00.000Z'],
])('%s', (text, expected) => {
  expect(new Date(resetTime(text, SEEN) ?? 0).toISOString()).toBe(expected)
})

test.each(['resets 5pm', 'resets 5pm (Nowhere/Land)', 'try again at 5:00 PM.', 'resets soon', ''])(
  'no zone, no time: %j',
  (text) => {
    expect(resetTime(text, SEEN)).toBeNull()
  },
)
