import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createLogBuffer } from '../../../../src-renderer/bottles/log-buffer.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const all = (buffer: ReturnType<typeof createLogBuffer>) =>
  Array.from({ length: buffer.count() }, (_, index) => buffer.line(index))

describe('the log buffer', () => {
  test('gives the same lines however the bytes are cut', () => {
    const lines = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '✓', '🧊', ' ') }), { maxLength: 20 })
    fc.assert(
      fc.property(lines, fc.array(fc.nat(40)), (texts, cuts) => {
        const whole = bytes(texts.map((text) => `${text}\n`).join(''))
        const buffer = createLogBuffer()
        let from = 0
        for (const cut of [...cuts, whole.length]) {
          buffer.add(whole.slice(from, from + cut))
          from = Math.min(whole.length, from + cut)
        }
        buffer.add(whole.slice(from))
        expect(all(buffer)).toEqual(texts)
      }),
    )
  })

  test('keeps the newest lines and counts the dropped ones', () => {
    const buffer = createLogBuffer(100)
    for (let index = 0; index < 1050; index += 1) buffer.add(bytes(`line ${index}\n`))
    expect(buffer.count()).toBe(100)
    expect(buffer.dropped()).toBe(950)
    expect(buffer.line(0)).toBe('line 950')
    expect(buffer.line(99)).toBe('line 1049')
  })

  test('shows the unfinished last line, and what a carriage return wrote over', () => {
    const buffer = createLogBuffer()
    buffer.add(bytes('one\r\n10 %\r20 %\r30 %'))
    expect(all(buffer)).toEqual(['one', '30 %'])
    buffer.add(bytes('\ntwo'))
    expect(all(buffer)).toEqual(['one', '30 %', 'two'])
  })

  test('does not grow with an endless line', () => {
    const buffer = createLogBuffer()
    for (let index = 0; index < 500; index += 1) buffer.add(bytes('x'.repeat(10_000)))
    expect(buffer.count()).toBe(1)
    expect(buffer.line(0).length).toBeLessThanOrEqual(4000)
  })

  test('finds lines whatever their case', () => {
    const buffer = createLogBuffer()
    buffer.add(bytes('Error: a\nfine\nan ERROR\n'))
    expect(buffer.find('error')).toEqual([0, 2])
    expect(buffer.find('')).toEqual([])
  })
})
