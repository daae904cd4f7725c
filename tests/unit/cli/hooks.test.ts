import { expect, test } from 'vitest'
import { hooksText } from '../../../src-main/cli/commands/hooks.ts'
import type { Output } from '../../../src-main/cli/output.ts'
import { plainPaint } from '../../../src-main/cli/style.ts'
import type { HookRecord } from '../../../src-preload/contract/agents.ts'

const face = { paint: plainPaint, stdout: { width: 100 } as Output }
const now = Date.parse('2026-11-21T12:00:00Z')
const record: HookRecord = {
  at: '2026-11-21T11:58:00Z',
  point: 'post_freeze',
  kind: 'shell',
  run: './push.sh',
  required: false,
  outcome: 'failed',
  code: 3,
  durationMs: 1240,
  output: 'one\n\u001b[31mtwo\n',
  runId: 'r',
  isTrial: true,
}

test('hooks are listed by point, and below them what came of them', () => {
  const hook = { kind: 'shell', run: './push.sh', timeoutSeconds: 30, required: true } as const
  const text = hooksText(
    face,
    'web-1',
    { configured: { post_freeze: [hook], pre_start: [hook] }, journal: [record] },
    now,
  )
  expect(text.split('\n')).toEqual([
    'POINT        KIND   LIMIT  REQUIRED  HOOK',
    'pre_start    shell   30 s  yes       ./push.sh',
    'post_freeze  shell   30 s  yes       ./push.sh',
    '',
    expect.stringMatching(/^WHEN +POINT +OUTCOME +TOOK +HOOK +SAID$/),
    expect.stringMatching(/post_freeze +failed, 3 \(tried\) +1\.2 s +\.\/push\.sh +\[31mtwo$/),
  ])
})

test('a bottle without hooks says so', () => {
  expect(hooksText(face, 'web-1', { configured: {}, journal: [] }, now)).toBe(
    'web-1 was started without hooks.',
  )
})
