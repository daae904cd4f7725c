import fc from 'fast-check'
import { expect, it } from 'vitest'
import { keyBytes, paceStrokes, textBytes, typedText } from '../../../../src-main/backends/local/strokes.ts'

const PLAIN = { bracketedPaste: false, applicationCursor: false }
const FULL = { bracketedPaste: true, applicationCursor: true }

it('puts a wait between a text and its key, and between keys, where the caller named none', () => {
  expect(paceStrokes([{ text: 'hi' }, { key: 'Enter' }, { key: 'Up' }, { text: '' }])).toEqual([
    { kind: 'text', text: 'hi' },
    { kind: 'pause', ms: 300 },
    { kind: 'key', key: 'Enter' },
    { kind: 'pause', ms: 100 },
    { kind: 'key', key: 'Up' },
  ])
  expect(paceStrokes([{ text: 'hi' }, { pauseMs: 5 }, { key: 'Enter' }])).toEqual([
    { kind: 'text', text: 'hi' },
    { kind: 'pause', ms: 5 },
    { kind: 'key', key: 'Enter' },
  ])
  expect(paceStrokes([{ pauseMs: -1 }])).toEqual([{ kind: 'pause', ms: 0 }])
})

it('lets no text press a key or end a paste', () => {
  expect(typedText('a\x1b[201~b\x03\r\nc\td\x7f\u009b1A')).toBe('a[201~b\nc\td1A')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const bytes = textBytes(typedText(`${text}\n`), FULL)
      const inside = bytes.slice(6, -6).replace(/[\t\r]/g, '')
      if (!bytes.startsWith('\x1b[200~') || /\p{Cc}/u.test(inside)) throw new Error(JSON.stringify(bytes))
    }),
  )
})

it('pastes lines in brackets only where the program asked for them', () => {
  expect(textBytes('a\nb', FULL)).toBe('\x1b[200~a\rb\x1b[201~')
  expect(textBytes('a\nb', PLAIN)).toBe('a\rb')
  expect(textBytes('/compact', FULL)).toBe('/compact')
})

it('sends arrows as the program asked for them', () => {
  expect(keyBytes('Up', PLAIN)).toBe('\x1b[A')
  expect(keyBytes('Left', FULL)).toBe('\x1bOD')
  expect(keyBytes('Enter', FULL)).toBe('\r')
  expect(keyBytes('C-c', PLAIN)).toBe('\x03')
})
