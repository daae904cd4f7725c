import { expect, test } from 'vitest'
import { readEvents, readHeartbeat } from '../../../../src-main/agents/observe/agent-events.ts'

const AT = '2026-11-21T12:00:00Z'

test('what a program gives its hooks is read alone or beside a time, and damaged lines cost themselves', () => {
  const inner = {
    session_id: 's1',
    hook_event_name: 'PreToolUse',
    tool_name: 'Bash',
    tool_input: { command: 'ls' },
  }
  const lines = [
    JSON.stringify(inner),
    JSON.stringify({ ts: AT, payload: inner }),
    JSON.stringify({ ts: Date.parse(AT) / 1000, kind: 'stop' }),
    JSON.stringify({ at: AT, event: { hook_event_name: 'Notification', message: 'Claude needs\nyou' } }),
    '{"ts":"2026',
    'nonsense',
    '{"hook_event_name":"Unheard"}',
    '',
  ]
  const tool = { kind: 'tool', tool: 'Bash', text: 'ls', sessionId: 's1' }
  expect(readEvents(lines.join('\n'))).toMatchObject([
    { ...tool, at: null },
    { ...tool, at: Date.parse(AT) },
    { kind: 'stop', at: Date.parse(AT) },
    { kind: 'notification', text: 'Claude needs\nyou', at: Date.parse(AT) },
  ])
})

test('what every object has is no event', () => {
  const names = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']
  expect(readEvents(names.map((kind) => JSON.stringify({ ts: AT, kind })).join('\n'))).toEqual([])
})

test('a heartbeat is a time and a known state', () => {
  expect(readHeartbeat(`{"ts":"${AT}","pid":7,"state":"idle"}\n`)).toEqual({
    at: Date.parse(AT),
    state: 'idle',
  })
  for (const text of [
    '',
    '{}',
    '{"ts":1}',
    '{"ts":"x","state":"idle"}',
    `{"ts":"${AT}","state":"dancing"}`,
  ]) {
    expect(readHeartbeat(text)).toBeNull()
  }
})
