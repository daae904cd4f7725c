import { expect, test } from 'vitest'
import { diffLines } from '../../../../src-renderer/changes/diff-lines.ts'

test('lines of a unified diff carry their numbers on either side', () => {
  const text = [
    '--- a',
    '+++ b',
    '@@ -3,3 +3,3 @@',
    ' same',
    '--- old',
    '+++ new',
    '\\ No newline at end of file',
    '',
  ]
  expect(
    diffLines(text.join('\n')).map(({ kind, text, before, after }) => [kind, text, before, after]),
  ).toEqual([
    ['hunk', '@@ -3,3 +3,3 @@', '', ''],
    ['same', 'same', '3', '3'],
    ['remove', '-- old', '4', ''],
    ['add', '++ new', '', '4'],
    ['note', 'No newline at end of file', '', ''],
  ])
})

test('a diff without hunks has no lines', () => expect(diffLines('')).toEqual([]))
