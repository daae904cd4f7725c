import { expect, test } from 'vitest'
import { bottleFile, openRequest, requestOfInstance } from '../../../src-main/shell/open-files.ts'

test('links and files of a command line are found among everything else', () => {
  expect(
    openRequest(
      [
        '/opt/Icebox',
        '--no-sandbox',
        'a b.bottle',
        'icebox://new',
        '/x/y.bottle',
        'notes.txt',
        'icebox://freeze/a',
      ],
      '/home/me',
    ),
  ).toEqual({
    commands: [{ do: 'page', command: { id: 'new-bottle' } }],
    files: ['/home/me/a b.bottle', '/x/y.bottle'],
  })
})

test('a file is taken once, and no more of them than anybody means', () => {
  const many = Array.from({ length: 100 }, (_, index) => `/x/${index}.bottle`)
  expect(openRequest(['/x/a.bottle', './a.bottle', 'file:///x/a.bottle'], '/x').files).toEqual([
    '/x/a.bottle',
  ])
  expect(openRequest(many, '/').files).toHaveLength(32)
  expect(
    openRequest(
      many.map(() => 'icebox://new'),
      '/',
    ).commands,
  ).toHaveLength(32)
})

test.each([
  ['a.bottle', '/x', '/x/a.bottle'],
  ['../a.bottle', '/x/y', '/x/a.bottle'],
  ['file:///x/a%20b.bottle', '/', '/x/a b.bottle'],
])('%s in %s', (word, cwd, path) => {
  expect(bottleFile(word, cwd)).toBe(path)
})

test.each([
  ['a.tar', '/x'],
  ['--import=/x/a.bottle', '/x'],
  ['-a.bottle', '/x'],
  ['file://server/share/a.bottle', '/x'],
  ['file:///x/%ff%00.bottle', '/x'],
  ['file:///x%2fa.bottle', '/x'],
  ['https://x.test/a.bottle', '/x'],
  ['smb://x/a.bottle', '/x'],
  ['javascript:a.bottle', '/x'],
  ['a\0.bottle', '/x'],
  ['a.bottle', ''],
  ['a.bottle', 'relative'],
  [`/${'a'.repeat(5000)}.bottle`, '/'],
])('%j in %j is not opened', (word, cwd) => {
  expect(bottleFile(word, cwd)).toBeNull()
})

test.each([
  null,
  undefined,
  7,
  'icebox://new',
  { args: 'icebox://new' },
  { args: [1, null, {}], cwd: 5 },
  [],
])('what no instance of ours sends asks for nothing: %j', (data) => {
  expect(requestOfInstance(data)).toEqual({ commands: [], files: [] })
})

test('what a second instance sends is read like a command line', () => {
  expect(requestOfInstance({ args: ['icebox://open', 'a.bottle'], cwd: '/x' })).toEqual({
    commands: [{ do: 'show-window' }],
    files: ['/x/a.bottle'],
  })
})
