import { expect, test } from 'vitest'
import { fuzzyScore } from '../../../../src-renderer/palette/fuzzy.ts'

const best = (query: string, texts: readonly string[]) =>
  texts
    .flatMap((text) => {
      const score = fuzzyScore(query, text)
      return score === null ? [] : [{ text, score }]
    })
    .sort((a, b) => b.score - a.score)[0]?.text

const TEXTS = ['Freeze web-1', 'Freeze api-gateway', 'Destroy web-1', 'Go to Engines', 'Resume billing-spike']

test('verb and bottle find each other, in any order and shortened', () => {
  expect(best('freeze web', TEXTS)).toBe('Freeze web-1')
  expect(best('web fre', TEXTS)).toBe('Freeze web-1')
  expect(best('fr ag', TEXTS)).toBe('Freeze api-gateway')
  expect(best('bs', ['Resume billing-spike', 'Absolutely'])).toBe('Resume billing-spike')
})

test('a missing letter is no answer', () => {
  expect(fuzzyScore('zz', 'Freeze web-1')).toBeNull()
  expect(fuzzyScore('freeze nowhere', 'Freeze web-1')).toBeNull()
})

test('letters strewn by chance are no answer', () => {
  expect(fuzzyScore('eee', 'Resume one more extremely long name')).toBeNull()
})
