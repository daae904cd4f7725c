import headless from '@xterm/headless'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { charWidth, thinOut } from '../../../../src-main/backends/local/char-width.ts'
import { guardTerminal } from '../../../../src-main/backends/local/terminal-guard.ts'
import { openView } from '../../../../src-main/backends/local/terminal-view.ts'

const SIZE = { cols: 20, rows: 4 }
const HUGE = 2_147_483_647
const MARK = '\u0301'

async function shown(...pieces: readonly string[]) {
  const view = await openView(SIZE)
  for (const piece of pieces) view.feed(Buffer.from(piece))
  const { lines } = await view.look()
  const { isSure } = view
  view.close()
  return { lines, isSure }
}

/** A character and its marks in each cell, and no more. */
const MOST_SHOWN = SIZE.cols * SIZE.rows * 17

describe('counts that a program gives', () => {
  it('repeats within the screen, and nothing beyond it', async () => {
    expect(await shown('a\x1b[3b')).toEqual({ lines: ['aaaa', '', '', ''], isSure: true })
    expect(await shown(`a\x1b[${HUGE}b`, 'z')).toEqual({ lines: ['az', '', '', ''], isSure: false })
  })

  it.each([...'LMSTIZ@PXABCDEFGHdaefr'])('of a sequence that ends in %s come back', async (final) => {
    expect((await shown(`one\r\ntwo\x1b[${HUGE}${final}`)).lines).toHaveLength(SIZE.rows)
  })

  it('moves as many lines as programs ask for', async () => {
    expect((await shown('one\r\ntwo\x1b[99S')).lines).toEqual(['', '', '', ''])
    expect((await shown('one\r\ntwo\x1b[1S')).lines).toEqual(['two', '', '', ''])
  })
})

describe('marks on one character', () => {
  it.each([
    ['in a row', MARK.repeat(500)],
    ['with a string that is no text between them', `${MARK.repeat(9)}\u009fX\u009c`.repeat(500)],
    ['with a sequence that is none between them', `${MARK.repeat(9)}\x1b[1?m`.repeat(500)],
    ['with an ignored control between them', `${MARK.repeat(9)}\x7f`.repeat(500)],
  ])('are few when they come %s', async (_how, marks) => {
    const { lines } = await shown(`a${marks}`)
    const most = Math.max(...lines.map((line) => line.split(MARK).length - 1))
    expect(most).toBeLessThanOrEqual(SIZE.cols + 17)
    expect(lines.join('').length).toBeLessThanOrEqual(MOST_SHOWN)
  })

  it('do not heap up beside a character that has no room', async () => {
    const { lines } = await shown(`\x1b[?7l\x1b[99C`, `a中${MARK.repeat(16)}`.repeat(500))
    expect(lines.join('').length).toBeLessThanOrEqual(MOST_SHOWN)
  })

  it('are not repeated onto another one', async () => {
    const marked = `\x1b[1;18H\x1b[m${MARK}\x1b[?7l\x1b[1;20H`
    const { lines } = await shown(marked, `\x1b[1;20H中\x1b[80b`.repeat(200))
    expect(lines.join('').length).toBeLessThanOrEqual(MOST_SHOWN)
  })

  it('stay as they are where a writing has them', () => {
    for (const text of ['e\u0301', 'กิ่', '한글', '👨‍👩‍👧‍👦', 'plain']) expect(thinOut(text)).toBe(text)
    expect(thinOut(`a${MARK.repeat(40)}b`)).toBe(`a${MARK.repeat(16)}b`)
  })
})

it('keeps no link and no title, however many come on one line', async () => {
  const terminal = new headless.Terminal({ ...SIZE, scrollback: 0, allowProposedApi: true })
  const titles: string[] = []
  terminal.onTitleChange((title) => titles.push(title))
  guardTerminal(terminal, () => undefined)
  const output = '\x1b]8;;x\x07\x1b]8;id=a;b\x07y\x1b]0;title\x07\x1b]2;title\x07'.repeat(50)
  await new Promise<void>((resolve) => terminal.write(output, resolve))
  expect(terminal.markers).toHaveLength(0)
  expect(titles).toEqual([])
  terminal.dispose()
})

it('draws colours that come in one endless list', async () => {
  expect((await shown(`\x1b]4;${';'.repeat(1_000_000)}\x07`, 'text')).lines[0]).toBe('text')
})

it('knows the width of every character there is', () => {
  for (let code = 0; code < 0x30000; code += 29) expect([0, 1, 2]).toContain(charWidth(code))
})

const sequence = fc
  .tuple(
    fc.constantFrom('', '?', '>', '!', ' ', '1;', ';;;', '4:'),
    fc.constantFrom(0, 1, 5, 99, 65_535, HUGE, 99_999_999_999),
    fc.constantFrom(...'@ABCDEFGHIJKLMPSTXZ`abcdefghlmnpqrstu'),
  )
  .map(([prefix, count, final]) => `\x1b[${prefix}${count}${final}`)
const fixed = fc.constantFrom(
  ...['\x1bc', '\x1b#8', '\x1b[?1049h', '\x1b[?1049l', '\x1b[?7l', '\x1b[4h', '\x1b[2;3r', '\x1bM', '\x1bH'],
  ...[
    '\x1b]8;id=a;b\x07',
    '\x1b]0;',
    '\x1bP$q',
    '\x1b_é',
    '\x1bX',
    '\x9d4;',
    '\x9c',
    '\x18',
    '\x1b\\',
    '\x9f',
  ],
  ...['a', '中', '🎉', '\r', '\n', '\t', '\b', '\x7f', MARK, MARK.repeat(20), '\u200d', '\ufeff', '\ud800'],
)
const output = fc.array(fc.oneof(sequence, fixed, fixed, fc.string({ unit: 'binary' })), { maxLength: 60 })

it('draws whatever comes, in as many cells as there are', async () => {
  await fc.assert(
    fc.asyncProperty(output, fc.integer({ min: 1, max: 40 }), async (pieces, times) => {
      const { lines } = await shown(...Array.from({ length: times }, () => pieces.join('')))
      expect(lines).toHaveLength(SIZE.rows)
      expect([...lines.join('')].length).toBeLessThanOrEqual(MOST_SHOWN)
    }),
    { numRuns: 150 },
  )
})
