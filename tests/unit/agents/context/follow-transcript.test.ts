import { expect, test } from 'vitest'
import { readClaudeTranscript } from '../../../../src-main/agents/context/claude-transcript.ts'
import { type Followed, followTranscript } from '../../../../src-main/agents/context/follow-transcript.ts'
import type { AgentAccess } from '../../../../src-main/backends/agent-access.ts'
import type { RuntimeRef } from '../../../../src-main/backends/backend.ts'
import { requireReadable } from '../../../../src-main/backends/local/agent-paths.ts'
import { claude } from './records.ts'

const MB = 1024 * 1024
const REF: RuntimeRef = {
  backend: 'docker',
  id: 'c1',
  name: 'bot-bottle-web',
  slug: 'web',
  runId: 'run-1',
  volumes: [],
  networks: [],
  sidecars: [],
  facts: {},
}

/** A transcript that is longer than what is given of it: before its end lies one endless line. */
function transcript() {
  const asked: number[] = []
  let end = ''
  let bytes = 0
  const read: AgentAccess['read'] = async (_ref, place, tailBytes) => {
    const wanted = Math.min(bytes, tailBytes ?? bytes)
    asked.push(wanted)
    requireReadable(place, wanted)
    return Buffer.from(end.padStart(wanted, 'x').slice(-wanted))
  }
  return {
    asked,
    grow(by: number, text: string): void {
      bytes += by
      end = by > MB ? text : end + text.padStart(by, 'x')
    },
    look(known: Followed | null): Promise<Followed | null> {
      asked.length = 0
      const file = { path: 't.jsonl', bytes }
      const { signal } = new AbortController()
      return followTranscript({ read } as AgentAccess, REF, file, known, readClaudeTranscript, signal)
    },
  }
}

const lines = (...records: readonly string[]): string => `\n${records.join('\n')}\n`

test('what grew by more than is ever read at once is read from its end', async () => {
  const file = transcript()
  file.grow(MB, lines(claude.user('one'), claude.answer(1000)))
  const first = await file.look(null)
  expect(first?.facts.tokens).toBe(1000)
  file.grow(100 * MB, lines(claude.user('two'), claude.answer(2000)))
  const second = await file.look(first)
  expect(second?.facts).toMatchObject({ tokens: 2000, userMessage: 'two' })
  expect(Math.max(...file.asked)).toBeLessThanOrEqual(8 * MB)
  const more = lines(claude.answer(3000))
  file.grow(more.length, more)
  expect((await file.look(second))?.facts.userMessage).toBe('two')
})

test('a line that does not end is not read again and again as far back as can be', async () => {
  const file = transcript()
  file.grow(100 * MB, '')
  const first = await file.look(null)
  expect(first?.mark).toBe('')
  file.grow(1000, '')
  const second = await file.look(first)
  expect(file.asked).toEqual([256 * 1024])
  file.grow(1000, lines(claude.answer(3000)))
  expect((await file.look(second))?.facts.tokens).toBe(3000)
})
