import { expect, test } from 'vitest'
import { readClaudeTranscript } from '../../../../src-main/agents/context/claude-transcript.ts'
import { readCodexRollout } from '../../../../src-main/agents/context/codex-rollout.ts'
import { readPiSession } from '../../../../src-main/agents/context/pi-session.ts'
import { readStatusLine } from '../../../../src-main/agents/context/status-line.ts'
import { mergeUsage } from '../../../../src-main/agents/context/usage-source.ts'
import { claude, codex, pi } from './records.ts'

test('claude: tokens of the last call, model, session, tool and words', () => {
  const facts = readClaudeTranscript(
    [
      claude.user('fix\n the tests'),
      claude.tool(50_000, 'Bash', { command: 'npm test', description: 'Run the tests' }),
      claude.toolResult(),
      '{"type":"assistant","message":',
    ],
    {},
  )
  expect(facts).toMatchObject({
    tokens: 50_000,
    model: 'claude-sonnet-4-5-20250929',
    sessionId: 's1',
    tool: 'Bash',
    toolInput: 'Run the tests',
    userMessage: 'fix\n the tests',
    turn: 'tool',
    activityAt: Date.parse('2026-11-21T12:00:00Z'),
  })
})

test('claude: subagents, summaries, commands and made-up answers are not the conversation', () => {
  const facts = readClaudeTranscript(
    [
      claude.user('go on'),
      claude.answer(30_000),
      claude.answer(190_000, { isSidechain: true }),
      claude.user('a summary', { isCompactSummary: true }),
      claude.user('<command-name>/compact</command-name>'),
      claude.user('caveat', { isMeta: true }),
      claude.error('No response requested.', { isApiErrorMessage: false }),
    ],
    {},
  )
  expect(facts).toMatchObject({ tokens: 30_000, userMessage: 'go on', turn: 'answer', trouble: null })
})

test('claude: a refused call is trouble until one goes well', () => {
  const limit = readClaudeTranscript(
    [claude.answer(30_000), claude.error("You've hit your limit · resets 5pm (UTC)")],
    {},
  )
  expect(limit).toMatchObject({ tokens: 30_000, trouble: { kind: 'limit' } })
  expect(readClaudeTranscript([claude.answer(31_000)], limit).trouble).toBeNull()
  const coded = claude.error('Something new', { error: 'authentication_failed' })
  expect(readClaudeTranscript([coded], {}).trouble?.kind).toBe('sign-in')
})

test('after a compaction the old tokens do not hold, and the next answer tells the new ones', () => {
  const after = readClaudeTranscript([claude.answer(150_000), claude.compacted(150_000)], {})
  expect(after).toMatchObject({ tokens: null, tokensBefore: 150_000 })
  expect(readClaudeTranscript([claude.answer(20_000)], after).tokens).toBe(20_000)
  // A status line that was not drawn anew has the old ones still.
  const line = (tokens: number) => ({ tokens, window: 200_000, sessionId: 's1' })
  expect(mergeUsage(after, line(150_000), null).tokens).toBeNull()
  expect(mergeUsage(after, line(20_000), null).tokens).toBe(20_000)
})

test('codex: tokens of the last call, the told window, limits', () => {
  const facts = readCodexRollout(
    [
      codex.meta,
      codex.turn('gpt-5-codex'),
      codex.user('look around'),
      codex.tool('shell', { command: ['bash', '-lc', 'ls'] }),
      codex.count(68_000, 272_000, {
        primary: { used_percent: 12.5, window_minutes: 300, resets_at: 1_893_456_000 },
        secondary: { used_percent: 34, window_minutes: 10_080, resets_in_seconds: 3600 },
      }),
    ],
    {},
  )
  expect(facts).toMatchObject({
    sessionId: 's2',
    model: 'gpt-5-codex',
    tokens: 68_000,
    window: 272_000,
    tool: 'shell',
    toolInput: 'bash -lc ls',
    userMessage: 'look around',
    limits: [
      { name: '5h', usedPercent: 12.5, resetsAt: '2030-01-01T00:00:00.000Z' },
      { name: '7d', usedPercent: 34, resetsAt: '2026-11-21T13:00:00.000Z' },
    ],
  })
  expect(readCodexRollout([codex.compacted], facts)).toMatchObject({ tokens: null, tokensBefore: 68_000 })
})

test('pi: tokens, and the cost of every answer', () => {
  const facts = readPiSession(
    [
      pi.session,
      pi.user('hello'),
      pi.answer(1_000, 0.25, [{ type: 'toolCall', id: 't', name: 'bash', arguments: { command: 'ls' } }]),
      pi.answer(2_000, 0.5),
    ],
    {},
  )
  expect(facts).toMatchObject({
    sessionId: 's3',
    tokens: 2_000,
    costUsd: 0.75,
    tool: 'bash',
    toolInput: 'ls',
    userMessage: 'hello',
  })
  expect(readPiSession([pi.compaction], facts)).toMatchObject({ tokens: null, tokensBefore: 2_000 })
})

test('no line of any shape throws', () => {
  const odd = [
    'null',
    '[]',
    '{}',
    '{"type":"assistant"}',
    '{"type":"user","message":7}',
    '{"type":"event_msg"}',
    '"x"',
    '{"message":{"role":"assistant","usage":[]},"type":"message"}',
  ]
  for (const read of [readClaudeTranscript, readCodexRollout, readPiSession]) {
    expect(() => read(odd, {})).not.toThrow()
  }
})

const STATUS = {
  session_id: 's1',
  model: { id: 'claude-opus-4-6', display_name: 'Opus' },
  cost: { total_cost_usd: 1.25 },
  context_window: {
    context_window_size: 1_000_000,
    used_percentage: 8,
    current_usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 990,
      cache_read_input_tokens: 84_000,
      output_tokens: 5,
    },
  },
  rate_limits: { five_hour: { used_percentage: 23.5, resets_at: 1_893_456_000 } },
}

test('the status line tells window, tokens, cost and limits', () => {
  const facts = readStatusLine(JSON.stringify(STATUS))
  expect(facts).toEqual({
    tokens: 85_000,
    window: 1_000_000,
    percent: 8,
    model: 'claude-opus-4-6',
    sessionId: 's1',
    costUsd: 1.25,
    limits: [{ name: '5h', usedPercent: 23.5, resetsAt: '2030-01-01T00:00:00.000Z' }],
  })
  expect(readStatusLine('{"session_id":"s1","context_window":{"current_usage":null}}')).toEqual({
    sessionId: 's1',
  })
  expect(readStatusLine('half a li')).toBeNull()
})

test('each file counts for the conversation that is on, of another one only the limits hold', () => {
  const status = readStatusLine(JSON.stringify(STATUS))
  const stale = mergeUsage({ sessionId: 's9', tokens: 5, model: 'm' }, status, 's9')
  expect(stale).toEqual({ sessionId: 's9', tokens: 5, model: 'm', limits: status?.limits })
  expect(mergeUsage({ sessionId: 's9', tokens: 5, userMessage: 'old' }, status, 's1')).toEqual(status)
  expect(mergeUsage({ sessionId: 's9', tokens: 5 }, null, 's2')).toEqual({ sessionId: 's2' })
})
