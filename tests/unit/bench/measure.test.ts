import { expect, test } from 'vitest'
import { formatTable, interleave, median, millisecondsOf, percentile } from '../../bench/measure.ts'

test('medians of odd and even counts', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([1, 2, 3, 10])).toBe(2.5)
  expect(() => median([])).toThrow()
})

test('percentiles', () => {
  const values = Array.from({ length: 100 }, (_, at) => at + 1)
  expect(percentile(values, 0.95)).toBe(95)
  expect(percentile([7], 0.95)).toBe(7)
})

test('sides take turns and a warm-up is not counted', async () => {
  const order: string[] = []
  const side = (name: string) => async () => order.push(name)
  const found = await interleave(side('o'), side('t'), 2)
  expect(order.join('')).toBe('ototto')
  expect(found.ours).toHaveLength(2)
  expect(found.theirs).toHaveLength(2)
})

test('times work', async () => {
  const took = await millisecondsOf(() => new Promise((resolve) => setTimeout(resolve, 30)))
  expect(took).toBeGreaterThan(25)
})

test('the table shows ratio and verdict', () => {
  const table = formatTable([
    { row: 1, measure: 'freeze', unit: 'ms', ours: 55, theirs: 50, target: '≤ 1.10×', isMet: true },
    { row: 10, measure: 'paint', unit: 'ms', ours: 1200, theirs: null, target: '≤ 1000 ms', isMet: false },
  ])
  expect(table.split('\n')[1]).toMatch(/^1 +freeze +55\.0 ms +50\.0 ms +1\.10 +≤ 1\.10× +ok$/)
  expect(table.split('\n')[2]).toMatch(/1200 ms +– +– +≤ 1000 ms +MISSED$/)
})
