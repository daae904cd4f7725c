import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { didYouMean, nearest, quoted } from '../../../src-main/agents/problems.ts'

describe('didYouMean', () => {
  it('names a near word, else what there is', () => {
    expect(didYouMean('egres', ['egress', 'env'])).toBe('Did you mean “egress”?')
    expect(didYouMean('zzzzz', ['egress', 'env'])).toBe('Known: egress, env.')
    expect(didYouMean('x', [])).toBeNull()
  })

  it('never throws and only ever guesses a choice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string({ unit: 'binary' })), (word, choices) => {
        didYouMean(word, choices)
        const near = nearest(word, choices)
        expect(near === null || choices.includes(near)).toBe(true)
      }),
    )
  })
})

describe('quoted', () => {
  it('stays short and on one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (word) => {
        expect(quoted(word)).not.toMatch(/[\n\r\0]/)
        expect(quoted(word.repeat(50)).length).toBeLessThan(400)
      }),
    )
  })
})
