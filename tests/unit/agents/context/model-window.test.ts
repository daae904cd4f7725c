import { expect, test } from 'vitest'
import {
  contextWindow,
  percentOf,
  type WindowHints,
} from '../../../../src-main/agents/context/model-window.ts'

const NONE: WindowHints = { told: null, override: undefined, asked: null, betas: undefined, seen: null }
const windowOf = (model: string | null, hints: Partial<WindowHints> = {}) =>
  contextWindow(model, { ...NONE, ...hints })

test('weakness 11: the percent is of the model’s own window, and of none where that is not known', () => {
  expect(percentOf(150_000, windowOf('claude-sonnet-4-5-20250929'))).toBe(75)
  expect(percentOf(150_000, windowOf('claude-sonnet-4-5[1m]'))).toBe(15)
  expect(percentOf(150_000, windowOf('some-model-of-tomorrow'))).toBeNull()
  expect(percentOf(150_000, windowOf(null))).toBeNull()
})

test.each([
  ['claude-3-5-haiku-20241022', 200_000],
  ['claude-opus-4-1-20250805', 200_000],
  ['claude-haiku-4-5-20251001', 200_000],
  ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 200_000],
  ['anthropic/claude-opus-4-1', 200_000],
  ['claude-opus-4-6', null],
  ['gpt-5-codex', 400_000],
  ['gpt-4.1-mini', 1_047_576],
  ['gemini-2.5-pro', 1_048_576],
  ['claude-opus-9', null],
  ['opus', null],
])('%s', (model, expected) => {
  expect(windowOf(model)).toBe(expected)
})

test('what the program tells and what the bottle says go before the table', () => {
  expect(windowOf('claude-sonnet-4-5', { told: 500_000 })).toBe(500_000)
  expect(windowOf('claude-sonnet-4-5', { told: 500_000, override: '64000' })).toBe(64_000)
  expect(windowOf('claude-sonnet-4-5', { override: 'many' })).toBe(200_000)
})

test('the larger variant is known by its suffix, by a beta header, or because nothing smaller could hold the tokens', () => {
  expect(windowOf('claude-sonnet-4-5', { asked: 'sonnet[1m]' })).toBe(1_000_000)
  expect(windowOf('claude-haiku-4-5', { asked: 'sonnet[1m]' })).toBe(200_000)
  expect(windowOf('claude-sonnet-4-5', { betas: 'x,context-1m-2025-08-07' })).toBe(1_000_000)
  expect(windowOf('claude-sonnet-4-5', { seen: 300_000 })).toBe(1_000_000)
  expect(windowOf('claude-opus-4-6', { seen: 300_000 })).toBe(1_000_000)
  expect(windowOf('claude-opus-4-6', { seen: 100_000 })).toBeNull()
  expect(windowOf('claude-haiku-4-5', { seen: 300_000 })).toBeNull()
})
