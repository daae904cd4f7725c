const AT = '2026-11-21T12:00:00.000Z'

/** Records as the providers write them, made for these tests. */
export const claude = {
  user: (text: string, over: object = {}) =>
    line({ type: 'user', sessionId: 's1', timestamp: AT, message: { role: 'user', content: text }, ...over }),
  toolResult: (content = 'ok') =>
    line({
      type: 'user',
      sessionId: 's1',
      timestamp: AT,
      message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content }] },
    }),
  answer: (tokens: number, over: object = {}, content: object[] = [{ type: 'text', text: 'Done.' }]) =>
    line({
      type: 'assistant',
      sessionId: 's1',
      timestamp: AT,
      message: {
        role: 'assistant',
        model: 'claude-sonnet-4-5-20250929',
        content,
        usage: {
          input_tokens: 10,
          cache_read_input_tokens: tokens - 110,
          cache_creation_input_tokens: 100,
          output_tokens: 999,
        },
      },
      ...over,
    }),
  tool: (tokens: number, name: string, input: object) =>
    claude.answer(tokens, {}, [{ type: 'tool_use', id: 't1', name, input }]),
  error: (text: string, over: object = {}) =>
    line({
      type: 'assistant',
      sessionId: 's1',
      timestamp: AT,
      isApiErrorMessage: true,
      message: { model: '<synthetic>', content: [{ type: 'text', text }], usage: { input_tokens: 0 } },
      ...over,
    }),
  compacted: (preTokens: number) =>
    line({ type: 'system', subtype: 'compact_boundary', timestamp: AT, compactMetadata: { preTokens } }),
}

export const codex = {
  meta: line({ timestamp: AT, type: 'session_meta', payload: { id: 's2', cwd: '/w' } }),
  turn: (model: string) => line({ timestamp: AT, type: 'turn_context', payload: { model } }),
  user: (message: string) =>
    line({ timestamp: AT, type: 'event_msg', payload: { type: 'user_message', message } }),
  tool: (name: string, given: object) =>
    line({
      timestamp: AT,
      type: 'response_item',
      payload: { type: 'function_call', name, arguments: JSON.stringify(given), call_id: 'c1' },
    }),
  count: (tokens: number, window: number | null, limits: object = {}) =>
    line({
      timestamp: AT,
      type: 'event_msg',
      payload: {
        type: 'token_count',
        info: {
          total_token_usage: { input_tokens: 999_999, total_tokens: 999_999 },
          last_token_usage: { input_tokens: tokens - 25, output_tokens: 25, total_tokens: tokens },
          model_context_window: window,
        },
        rate_limits: limits,
      },
    }),
  compacted: line({ timestamp: AT, type: 'compacted', payload: { message: 'A summary.' } }),
}

export const pi = {
  session: line({ type: 'session', version: 3, id: 's3', timestamp: AT, cwd: '/w' }),
  user: (text: string) => line({ type: 'message', timestamp: AT, message: { role: 'user', content: text } }),
  answer: (tokens: number, cost: number, content: object[] = [{ type: 'text', text: 'Done.' }]) =>
    line({
      type: 'message',
      timestamp: AT,
      message: {
        role: 'assistant',
        model: 'claude-sonnet-4-5',
        content,
        usage: {
          input: 10,
          output: 20,
          cacheRead: tokens - 30,
          cacheWrite: 0,
          totalTokens: tokens,
          cost: { total: cost },
        },
        stopReason: 'stop',
      },
    }),
  compaction: line({ type: 'compaction', timestamp: AT, tokensBefore: 90_000 }),
}

function line(record: object): string {
  return JSON.stringify(record)
}
