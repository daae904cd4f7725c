import { expect, test } from 'vitest'
import { TEXT_MAX, textDiff } from '../../../src-main/snapshots/diff/text-diff.ts'

const side = (name: string, content: string | Uint8Array | null) => ({
  name,
  content: typeof content === 'string' ? Buffer.from(content) : content,
})
const diff = (before: string | Uint8Array | null, after: string | Uint8Array | null) =>
  textDiff('/etc/hosts', side('web@1', before), side('web@2', after))

test('a unified diff with both names', async () => {
  const { text, reason } = await diff('one\ntwo\nthree\n', 'one\n2\nthree\n')
  expect(reason).toBeNull()
  expect(text).toBe('--- web@1:/etc/hosts\n+++ web@2:/etc/hosts\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n')
})

test('a file that came or went', async () => {
  expect((await diff(null, 'new\n')).text).toContain(
    '--- /dev/null\n+++ web@2:/etc/hosts\n@@ -0,0 +1,1 @@\n+new\n',
  )
  expect((await diff('old\n', null)).text).toContain('+++ /dev/null\n@@ -1,1 +0,0 @@\n-old\n')
})

test.each([
  [null, null, /Neither side/],
  ['same', 'same', /same content/],
  ['a\0b', 'c', /binary/],
  ['a', new Uint8Array([0xff, 0xfe]), /binary/],
  ['a', 'x'.repeat(TEXT_MAX + 1), /longer than 1 MB/],
])('no diff, and why', async (before, after, reason) => {
  expect(await diff(before, after)).toEqual({
    path: '/etc/hosts',
    text: null,
    reason: expect.stringMatching(reason),
  })
})

test('contents that are called like a reason are contents', async () => {
  expect((await diff('binary', 'long')).text).toContain('-binary')
})
