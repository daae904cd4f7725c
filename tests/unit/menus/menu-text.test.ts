import { expect, test } from 'vitest'
import { chordText, clockText, menuText, oneLine } from '../../../src-main/menus/menu-text.ts'

test.each([
  ['R&D', 'R&&D'],
  ['a && b', 'a &&&& b'],
  ['two\nlines\tand \u0000 more', 'two lines and more'],
  ['\u202eright to left', 'right to left'],
  ['  ', ''],
])('%j is %j in a menu', (text, expected) => {
  expect(menuText(text)).toBe(expected)
})

test('a long text ends in an ellipsis and never inside a letter', () => {
  expect(oneLine('x'.repeat(61))).toBe(`${'x'.repeat(59)}…`)
  expect(oneLine('x'.repeat(60))).toBe('x'.repeat(60))
  expect(oneLine('😀'.repeat(9), 4)).toBe('😀😀😀…')
})

test('a time of today is a time, of this year a day, else a date', () => {
  const now = new Date(2026, 10, 21, 16, 0)
  const text = (date: Date) => clockText(date.toISOString(), now)
  expect(text(new Date(2026, 10, 21, 9, 5))).toBe('09:05')
  expect(text(new Date(2026, 10, 20, 23, 59))).toBe('20 Nov, 23:59')
  expect(text(new Date(2025, 0, 2, 3, 4))).toBe('2 Jan 2025, 03:04')
  expect(clockText('never', now)).toBe('')
})

test('a chord reads as the platform writes it', () => {
  expect(chordText('mod+alt+i', 'darwin')).toBe('⌘⌥I')
  expect(chordText('mod+shift+space', 'linux')).toBe('Ctrl+Shift+Space')
})
