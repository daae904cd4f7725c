import { expect, test } from 'vitest'
import { readEngineReports, withoutFix } from '../../../src-main/bottles/engine-reports.ts'

test('a command that has its own place is not told twice', () => {
  const fix = 'container system start --enable-kernel-install'
  expect(withoutFix(`The services do not run. Start them with: ${fix}`, fix)).toBe('The services do not run.')
  expect(withoutFix('It says 1.0. It is too old.', fix)).toBe('It says 1.0. It is too old.')
  expect(withoutFix(`Run ${fix}`, fix)).toBe(`Run ${fix}`)
  expect(withoutFix(null, fix)).toBeNull()
  expect(withoutFix('Down.', null)).toBe('Down.')
})

test('every engine is asked', async () => {
  const backend = (name: string) =>
    ({ name, probe: async () => ({ name, reason: 'A. Try: x', fix: 'x' }) }) as never
  const reports = await readEngineReports([backend('a'), backend('b')], new AbortController().signal)
  expect(reports.map(({ name, reason }) => `${name} ${reason}`)).toEqual(['a A.', 'b A.'])
})
