import fc from 'fast-check'
import { expect, test } from 'vitest'
import { colourPaint, plainPaint } from '../../../src-main/cli/style.ts'
import { type Column, formatTable } from '../../../src-main/cli/table.ts'
import { cutText, oneLine, textWidth } from '../../../src-main/cli/width.ts'

interface Row {
  readonly name: string
  readonly size: string
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'NAME', cell: (row) => row.name, shrinkTo: 4 },
  { title: 'EMPTY', cell: () => '' },
  { title: 'SIZE', cell: (row) => ({ text: row.size, colour: 'red' }), align: 'right' },
]

test('columns are aligned, numbers to the right, and an empty column is left out', () => {
  const rows = [
    { name: 'a', size: '1 B' },
    { name: 'longer', size: '310 MB' },
  ]
  expect(formatTable(rows, COLUMNS, { paint: plainPaint })).toBe(
    ['NAME      SIZE', 'a          1 B', 'longer  310 MB'].join('\n'),
  )
})

test('a narrow terminal cuts the column that may shrink, and colours cost no width', () => {
  const rows = [{ name: 'a-very-long-name', size: '1 B' }]
  expect(formatTable(rows, COLUMNS, { paint: plainPaint, width: 14 })).toBe(
    ['NAME      SIZE', 'a-very-…   1 B'].join('\n'),
  )
  const painted = formatTable(rows, COLUMNS, { paint: colourPaint, width: 14 }).split('\n')[1]
  expect(painted).toBe('a-very-…   \u001b[31m1 B\u001b[39m')
})

test('no line is ever wider than the terminal, whatever is in the cells', () => {
  const row = fc.record({ name: fc.string({ unit: 'grapheme' }), size: fc.string({ unit: 'grapheme' }) })
  fc.assert(
    fc.property(fc.array(row, { minLength: 1 }), fc.integer({ min: 1, max: 60 }), (rows, width) => {
      for (const line of formatTable(rows, COLUMNS, { paint: plainPaint, width }).split('\n')) {
        expect(textWidth(line)).toBeLessThanOrEqual(width)
      }
    }),
  )
})

test('text is cut by cells, not by characters', () => {
  expect(cutText('日本語の名前', 7)).toBe('日本語…')
  expect(textWidth('日本')).toBe(4)
  expect(textWidth('e\u0301')).toBe(1)
  expect(cutText('abc', 3)).toBe('abc')
  expect(cutText('abcd', 3)).toBe('ab…')
  expect(cutText('abcd', 0)).toBe('')
})

test('escape codes and line breaks from files never reach the terminal', () => {
  expect(oneLine('a\u001b[31mb\r\nc\u009bd')).toBe('a [31mb c d')
})
