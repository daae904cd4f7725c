import { expect, test } from 'vitest'
import { plainText, spansOf } from '../../../../src-renderer/bottles/ansi.ts'

const shown = (line: string) => spansOf(line).map(({ text, color, isBold }) => [text, color, isBold])

test('colours and bold become spans, a reset ends them', () => {
  expect(shown('a \u001b[1;31mred\u001b[0m b')).toEqual([
    ['a ', null, false],
    ['red', 1, true],
    [' b', null, false],
  ])
  expect(shown('\u001b[92mbright\u001b[39m plain')).toEqual([
    ['bright', 10, false],
    [' plain', null, false],
  ])
})

test('colours of other palettes are dropped with all their numbers', () => {
  expect(shown('\u001b[38;2;1;2;3mrgb\u001b[48;5;31mback')).toEqual([
    ['rgb', null, false],
    ['back', null, false],
  ])
})

test('everything else that is not text is dropped', () => {
  expect(plainText('\u001b[2K\u001b]0;title\u0007a\u001b[10;5Hb\u0008c\u001b=')).toBe('abc')
  expect(plainText('tab\tstays')).toBe('tab\tstays')
})
