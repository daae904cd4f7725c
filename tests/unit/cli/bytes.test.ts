import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDetachKeys } from '../../../src-main/cli/detach-keys.ts'
import { lastLinesOffset } from '../../../src-main/cli/last-lines.ts'
import { lineWriter } from '../../../src-main/cli/run-agent.ts'

async function* stream(text: string, size: number): AsyncIterable<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe('the last lines of a stream', () => {
  const tail = async (text: string, count: number, size = 3) =>
    text.slice(await lastLinesOffset(stream(text, size), count))

  test.each([
    ['a\nb\nc\n', 1, 'c\n'],
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\nb\nc\n', 9, 'a\nb\nc\n'],
    ['a\nb\nc\n', 0, ''],
    ['', 3, ''],
    ['\n\n\n', 2, '\n\n'],
    ['no end', 1, 'no end'],
  ])('%j, %d', async (text, count, expected) => {
    expect(await tail(text, count)).toBe(expected)
  })

  test('agrees with splitting the whole, for any text and any chunks', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n') })
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        async (some, count, size) => {
          const lines = some.match(/[^\n]*\n|[^\n]+$/g) ?? []
          expect(await tail(some, count, size)).toBe(lines.slice(-count).join(''))
        },
      ),
    )
  })

  test('a long stream is not kept', async () => {
    const text = 'x\n'.repeat(20_000)
    expect(await lastLinesOffset(stream(text, 4096), 2)).toBe(text.length - 4)
  })
})

describe('Ctrl-P Ctrl-Q', () => {
  const type = (...chunks: readonly string[]) => {
    const keys = createDetachKeys()
    let sent = ''
    for (const chunk of chunks) {
      const { forward, isDetach } = keys(Buffer.from(chunk))
      sent += Buffer.from(forward).toString()
      if (isDetach) return { sent, isDetach }
    }
    return { sent, isDetach: false }
  }

  test.each([
    [['abc'], 'abc', false],
    [['a\u0010\u0011b'], 'a', true],
    [['a\u0010', '\u0011'], 'a', true],
    [['\u0011'], '\u0011', false],
    [['\u0010', 'x'], '\u0010x', false],
    [['\u0010\u0010\u0011'], '\u0010', true],
    [['\u0010'], '', false],
    [['é\u0003'], 'é\u0003', false],
  ])('%j', (chunks, sent, isDetach) => {
    expect(type(...chunks)).toEqual({ sent, isDetach })
  })
})

describe('labelled lines', () => {
  test('are written whole, in any chunks, the unfinished one at the end', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '\n') })
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 5 }), async (some, size) => {
        const writes: string[] = []
        const write = lineWriter(
          { write: async (data) => void writes.push(Buffer.from(data).toString()) },
          'x | ',
        )
        for await (const chunk of stream(some, size)) await write(chunk)
        await write(new Uint8Array(0))
        const lines = some.match(/[^\n]*\n|[^\n]+$/g) ?? []
        expect(writes.join('')).toBe(lines.map((line) => `x | ${line.replace(/\n$/, '')}\n`).join(''))
        for (const one of writes) expect(one.endsWith('\n')).toBe(true)
      }),
    )
  })
})
