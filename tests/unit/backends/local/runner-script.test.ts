import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { launchScript } from '../../../../src-main/backends/local/runner-script.ts'

const text = fc.string({ unit: 'binary', maxLength: 60 }).filter((sample) => !sample.includes('\0'))
const nasty = fc.oneof(
  text,
  fc.string({
    unit: fc.constantFrom("'", '"', '\\', '$', '`', '\n', ' ', '!', '-', '*', '~', '#', 'a'),
    maxLength: 20,
  }),
)
// Surrogates without their other half have no UTF-8 form, so they can't reach any process whole.
const whole = nasty.filter((sample) => sample.isWellFormed())

it('sets arguments and environment of a runner exactly', () => {
  fc.assert(
    fc.property(fc.array(whole, { minLength: 1, maxLength: 5 }), whole, (argv, value) => {
      const script = `${launchScript('/', { VALUE: value }, argv)}printf '%s\\0' "$VALUE" "$@"`
      const output = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' })
      expect(output.split('\0').slice(0, -1)).toEqual([value, ...argv])
    }),
    { numRuns: 60 },
  )
})
