import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pathBytes, shownPath } from '../../../src-main/snapshots/diff/shown-path.ts'

const bytes = (text: string) => Buffer.from(text).toString('latin1')

test.each([
  ['etc/passwd', 'etc/passwd'],
  [bytes('Grüße/日本'), 'Grüße/日本'],
  ['caf\xe9', 'caf\\xe9'],
  ['a\nb\x1b[31m', 'a\\x0ab\\x1b[31m'],
  ['back\\slash', 'back\\x5cslash'],
  [bytes('right\u202eleft'), 'right\\xe2\\x80\\xaeleft'],
  ['\xff\xfe', '\\xff\\xfe'],
  ['cut \xe6\x97', 'cut \\xe6\\x97'],
])('%j reads as %s', (path, shown) => {
  expect(shownPath(path)).toBe(shown)
})

test('any bytes come back from what is shown', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (raw) => {
      const path = Buffer.from(raw).toString('latin1')
      expect(pathBytes(shownPath(path))).toBe(path)
    }),
    { numRuns: 5000 },
  )
})
