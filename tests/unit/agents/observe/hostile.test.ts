import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readClaudeTranscript } from '../../../../src-main/agents/context/claude-transcript.ts'
import { readCodexRollout } from '../../../../src-main/agents/context/codex-rollout.ts'
import { contextWindow } from '../../../../src-main/agents/context/model-window.ts'
import { readPiSession } from '../../../../src-main/agents/context/pi-session.ts'
import { readStatusLine } from '../../../../src-main/agents/context/status-line.ts'
import { toolInputText, type UsageFacts } from '../../../../src-main/agents/context/usage-facts.ts'
import { readEvents, readHeartbeat } from '../../../../src-main/agents/observe/agent-events.ts'
import { assess } from '../../../../src-main/agents/observe/assess.ts'
import { eventFacts } from '../../../../src-main/agents/status/event-facts.ts'
import { statusFields } from '../../../../src-main/agents/status/status-fields.ts'
import { AgentSample } from '../../../../src-preload/contract/index.ts'
import { bottleRow } from '../../../support/rows.ts'
import { lifecycle, NOW, observation } from './agent-world.ts'

/** Names that the readers look for, so that odd values come to where they hurt. */
const NAMES =
  'type timestamp message role content model usage input_tokens cache_read_input_tokens payload info last_token_usage ' +
  'total_tokens model_context_window rate_limits primary used_percent resets_at resets_in_seconds five_hour ' +
  'used_percentage context_window current_usage context_window_size cost total_cost_usd session_id sessionId id text name ' +
  'input arguments tool_name tool_input ts state hook_event_name prompt compactMetadata preTokens postTokens subtype totalTokens'
const WORDS = [
  'assistant',
  'user',
  'system',
  'compact_boundary',
  'event_msg',
  'token_count',
  'response_item',
  'function_call',
  'message',
  'PreToolUse',
  'idle',
  'tool_use',
]

const odd = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(...WORDS),
    fc.oneof(fc.double(), fc.integer(), fc.constantFrom(1e300, -1e300, 1e16, 1.8e9)),
    fc.string(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom(...NAMES.split(' ')), tie('value'), { maxKeys: 8 }),
}))

const readers = { claude: readClaudeTranscript, codex: readCodexRollout, pi: readPiSession }
const lineOf = (value: unknown) => JSON.stringify(value) ?? 'null'

test('whatever an agent writes into its files, a look comes to a sample of the contract', () => {
  fc.assert(
    fc.property(
      fc.array(odd.object, { maxLength: 4 }),
      odd.object,
      fc.array(fc.string(), { maxLength: 6 }),
      (records, status, screen) => {
        const lines = records.map(lineOf)
        const events = readEvents(lines.join('\n'))
        for (const read of Object.values(readers)) {
          const usage: UsageFacts = { ...read(lines, {}), ...readStatusLine(lineOf(status)) }
          const window = contextWindow(usage.model ?? null, {
            told: usage.window ?? null,
            override: undefined,
            asked: null,
            betas: undefined,
            seen: usage.tokens ?? null,
          })
          const seen = observation({
            usage,
            events,
            contextWindow: window,
            heartbeat: readHeartbeat(lineOf(status)),
            screen: { lines: screen, cols: 80, rows: 24 },
            run: 'there',
          })
          const sample = AgentSample.parse(assess(seen, null, lifecycle(), 'claude'))
          const { contextPercent } = sample
          if (contextPercent !== null) {
            expect(contextPercent).toBeGreaterThanOrEqual(0)
            expect(contextPercent).toBeLessThanOrEqual(100)
          }
          const found = statusFields({
            row: bottleRow('web'),
            config: null,
            agent: null,
            sample,
            diff: null,
            events,
            claudeMd: null,
            mcpJson: lineOf(status),
            pid: null,
            workdir: null,
            machine: { name: '', canonical: '' },
            metrics: {},
            now: NOW,
          })
          expect(() => JSON.stringify(found)).not.toThrow()
        }
      },
    ),
    { numRuns: 150 },
  )
})

const TEMPLATES: readonly ((leaf: unknown) => object)[] = [
  (leaf) => ({ timestamp: leaf, type: 'assistant', message: { model: 'm', usage: { input_tokens: leaf } } }),
  (leaf) => ({
    type: 'system',
    subtype: 'compact_boundary',
    timestamp: leaf,
    compactMetadata: { postTokens: leaf },
  }),
  (leaf) => ({
    timestamp: '2026-11-21T12:00:00Z',
    type: 'event_msg',
    payload: {
      type: 'token_count',
      info: { last_token_usage: { total_tokens: leaf }, model_context_window: leaf },
      rate_limits: {
        primary: { used_percent: leaf, window_minutes: leaf, resets_at: leaf },
        secondary: { used_percent: 1, resets_in_seconds: leaf },
      },
    },
  }),
  (leaf) => ({
    type: 'message',
    timestamp: leaf,
    message: { role: 'assistant', usage: { totalTokens: leaf, cost: { total: leaf } } },
  }),
  (leaf) => ({
    context_window: {
      used_percentage: leaf,
      context_window_size: leaf,
      current_usage: { input_tokens: leaf },
    },
    rate_limits: { five_hour: { used_percentage: leaf, resets_at: leaf } },
    cost: { total_cost_usd: leaf },
  }),
  (leaf) => ({ ts: leaf, payload: { hook_event_name: 'PreToolUse', tool_name: 'Bash', tool_input: leaf } }),
  (leaf) => ({ ts: leaf, state: 'working' }),
]

test.each([1e300, -1e300, 1e17, 1e10, -5, 0, '', 'x', '+999999-01-01', null, [], {}, true])(
  'odd values where they are read: %j',
  (leaf) => {
    for (const template of TEMPLATES) {
      const line = lineOf(template(leaf))
      for (const read of Object.values(readers)) {
        const usage: UsageFacts = { ...read([line], {}), ...readStatusLine(line) }
        const events = readEvents(line)
        const seen = observation({
          usage,
          events,
          heartbeat: readHeartbeat(line),
          contextWindow: usage.window ?? null,
        })
        const { contextPercent, limits } = AgentSample.parse(assess(seen, null, lifecycle(), 'claude'))
        expect(contextPercent ?? 0).toBeGreaterThanOrEqual(0)
        expect(limits.every(({ usedPercent }) => usedPercent >= 0 && usedPercent <= 100)).toBe(true)
        expect(() => eventFacts(events)).not.toThrow()
      }
    }
  },
)

test('a limit that ends in a million years has no end', () => {
  const screen = {
    lines: ["■ You've hit your usage limit. Try again in 999999999999 days."],
    cols: 80,
    rows: 24,
  }
  expect(assess(observation({ screen }), null, lifecycle(), 'codex')).toMatchObject({
    state: 'limited',
    limits: [{ usedPercent: 100, resetsAt: null }],
  })
})

test('names and texts are cut in a sample', () => {
  const long = 'x'.repeat(100_000)
  const lines = [
    JSON.stringify({
      type: 'assistant',
      sessionId: long,
      message: { model: long, content: [{ type: 'tool_use', name: long, input: { a: long } }] },
    }),
  ]
  const usage = { ...readClaudeTranscript(lines, {}), userMessage: long }
  const events = readEvents(JSON.stringify({ kind: 'notification', message: long }))
  const found = assess(observation({ usage, events }), null, lifecycle(), 'claude')
  expect(found.reason).toMatch(/^x+…$/)
  expect(JSON.stringify(found).length).toBeLessThan(2500)
  expect(JSON.stringify(eventFacts(events)).length).toBeLessThan(1000)
})

test('a secret longer than any cut is hidden as a whole, wherever it begins', () => {
  const secret = `${'k'.repeat(99_000)}end`
  const usage = { tool: 'Bash', toolInput: toolInputText('Bash', { command: `echo   ${secret}` }) }
  const found = assess(observation({ usage, secrets: [secret] }), null, lifecycle(), 'claude')
  expect(found.currentToolInput).toMatch(/^echo \*+…$/)
})
