import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeRedactor, plainText, shownAddress } from '../../../../src-main/agents/hooks/redact.ts'

/** Values as people have them: six characters and more, not one letter alone. */
const secret = fc
  .string({ minLength: 8, maxLength: 60, unit: fc.constantFrom(...'abcXYZ0189-_+/=.$"\\ üß') })
  .filter((text) => text.trim().length >= 8 && new Set(text).size > 4 && text.trim() === text)
const noise = fc.string({ maxLength: 200, unit: fc.constantFrom(...'qrstuv\n\t🎉é ') })

describe('a secret', () => {
  test('never stays, wherever the kept end begins and whatever stands around it', () => {
    fc.assert(
      fc.property(secret, noise, noise, fc.nat(300), (value, before, after, bytes) => {
        const text = `${before}${value}${after}`
        const shown = makeRedactor([value]).tail(text, bytes)
        expect(shown).not.toContain(value)
        // Not even its end: what is left of the text has none of its letters.
        for (const char of shown.replaceAll('[secret]', '')) {
          expect('qrstuv\n\t🎉é ').toContain(char)
        }
      }),
      { numRuns: 300 },
    )
  })
  test('is found in JSON, in addresses and in base64', () => {
    fc.assert(
      fc.property(secret, fc.nat(2), (value, shift) => {
        const { text } = makeRedactor([value])
        expect(text(JSON.stringify({ a: value }))).not.toContain(JSON.stringify(value).slice(1, -1))
        expect(text(`?q=${encodeURIComponent(value)}`)).not.toContain(encodeURIComponent(value))
        const encoded = Buffer.from(`${'x'.repeat(shift)}${value}yy`).toString('base64')
        const inner = encoded.slice(4, -4)
        if (Buffer.byteLength(value) >= 12) expect(text(encoded)).not.toContain(inner)
      }),
      { numRuns: 200 },
    )
  })
  test('goes from keys and values of a payload', () => {
    const { json } = makeRedactor(['hunter2-hunter2'])
    expect(json({ 'hunter2-hunter2': [1, null, { a: 'x hunter2-hunter2' }] })).toEqual({
      '[secret]': [1, null, { a: 'x [secret]' }],
    })
  })
})

test('text without a secret stays as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
      fc.pre(!/secret|token|pass|key|bearer|:\/\//i.test(text))
      expect(makeRedactor(['never-in-there-9']).text(text)).toBe(Buffer.from(text).toString('utf8'))
    }),
  )
})

test.each([
  ['ghp_0123456789abcdefghijABCDEFGHIJ012345', 'ghp_'],
  ['Authorization: Bearer abc.def-ghi', 'abc.def'],
  ['api_key = "q1w2e3r4"', 'q1w2'],
  ['PASSWORD=hunter2', 'hunter2'],
  ['https://me:pa55word@example.org/', 'pa55word'],
  ['{"token": "zzz-yyy-xxx"}', 'zzz-yyy'],
])('what looks like one is taken out of %s', (text, part) => {
  const shown = makeRedactor([]).text(text)
  expect(shown).not.toContain(part)
  expect(shown).toContain('[secret]')
})

test('of output only harmless characters stay', () => {
  const raw = Buffer.from(
    '\u001b]0;title\u0007a\u001b[31mred\u001b[0m\r\nb\rc\u0000\u0008d\u202e\u001bPx\u001b\\e\t\n',
  )
  expect(plainText(raw)).toBe('ared\nb\ncde\t\n')
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      expect(plainText(bytes)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/)
    }),
  )
})

test.each([
  ['https://example.org/a/b?x=1&token=2#part', 'https://example.org/a/b?x=…&token=…'],
  ['http://me:word@127.0.0.1:80/', 'http://127.0.0.1/'],
  [
    'https://hooks.example.org/services/T0001/B0002abc/aZ3kd93kdkdWkfk39dkd',
    'https://hooks.example.org/services/T0001/B0002abc/…',
  ],
  ['no address', 'an address that cannot be read'],
])('%s is shown as %s', (address, shown) => {
  expect(shownAddress(address)).toBe(shown)
})
