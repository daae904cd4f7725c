import { expect, test } from 'vitest'
import { statusText } from '../../../src-main/cli/commands/status.ts'
import { plainPaint } from '../../../src-main/cli/style.ts'
import type { Bottle } from '../../../src-preload/contract/entities.ts'
import { bottleRow } from '../../support/rows.ts'
import { NOW } from '../agents/observe/agent-world.ts'

const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString()

const text = (found: Record<string, unknown>, row: Partial<Bottle> = {}) =>
  statusText(
    { paint: plainPaint, unicode: false },
    bottleRow('web', { agentState: 'waiting', ...row }),
    { status: 'running', agent_state: 'waiting', ...found },
    NOW,
  )

const SEEN = {
  sampled_at: at(4),
  since: at(120),
  reason: 'Do you want to proceed?',
  model: 'claude-sonnet-4-5',
  context_percent: 62.5,
  context_window: 200_000,
  context_tokens: 125_000,
  context_management: { percent: 62.5, strategy: 'compact', trigger_at_percent: 70 },
  cost_usd: 1.25,
  limits: [{ name: '5h', used_percent: 12, resets_at: at(-3 * 3600) }],
  restarts: { count: 0, next_at: null, gave_up: null },
  hooks_configured: { on_diff: 2, pre_start: 0 },
  alive: 'yes',
  responsive: 'unknown',
}

test('a person reads what it asks, how full it is, and how fresh that is', () => {
  const shown = text(SEEN)
  expect(shown).toMatch(/^It asks +Do you want to proceed\?$/m)
  expect(shown).toMatch(/^Context +62\.5 % of 200k tokens; compact at 70 %$/m)
  expect(shown).toMatch(/^Limits +5h 12 %, free again in 3 h$/m)
  expect(shown).toMatch(/^Cost +\$1\.25$/m)
  expect(shown).toMatch(/^Hooks +on_diff 2$/m)
  expect(shown).toMatch(/^Signals +alive: yes, responsive: unknown, /m)
  expect(shown).toMatch(/^Looked at +4s ago$/m)
})

test('what is not known is told as that', () => {
  expect(text({ ...SEEN, context_percent: null, context_tokens: null })).toMatch(/^Context +unknown$/m)
  expect(text({ ...SEEN, context_percent: null })).toMatch(
    /^Context +125000 tokens of a window that is not known$/m,
  )
  expect(text({ supervised: false })).toMatch(/^Looked at +it isn't looked after/m)
  expect(text({ supervised: true })).toMatch(/^Looked at +not yet$/m)
})

test('a look that is old while the agent works gives away that nobody looks after it', () => {
  const old = { ...SEEN, agent_state: 'working', sampled_at: at(900), sample_age_s: 900 }
  expect(text(old)).toContain('nobody seems to look after it now')
  expect(text({ ...old, agent_state: 'waiting' })).not.toContain('nobody')
})

test('restarts that were given up are told with their reason', () => {
  const restarts = { count: 3, next_at: null, gave_up: 'it was restarted 3 times in an hour' }
  expect(text({ ...SEEN, restarts })).toMatch(/^Restarts +given up: it was restarted 3 times in an hour$/m)
})
