import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runFiles, START_SCRIPT } from '../../../../src-main/backends/guest/run-files.ts'
import { shellQuote } from '../../../../src-main/backends/guest/shell-quote.ts'

const text = fc
  .string({ unit: 'binary', maxLength: 60 })
  .filter((value) => !value.includes('\0') && value.isWellFormed())
const awkward = fc.string({
  unit: fc.constantFrom("'", '"', '\\', '\n', '$', '`', ' ', '\r', '!', '-', '=', 'a'),
})

it('reads back from a real shell as exactly the same text', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(text, awkward), { minLength: 1, maxLength: 40 }), (words) => {
      const script = words.map((word) => `printf '%s\\0' ${shellQuote(word)}\n`).join('')
      const output = execFileSync('/bin/sh', { input: script }).toString('utf8')
      expect(output.split('\0').slice(0, -1)).toEqual(words)
    }),
    { numRuns: 60 },
  )
})

it('refuses NUL', () => {
  expect(() => shellQuote('a\0b')).toThrow(/NUL/)
})

it('gives a program its arguments and variables through the files of a run', { timeout: 60_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'run-files-'))
  const name = fc.oneof(
    fc.stringMatching(/^[A-Z][A-Z0-9_]{3,9}$/),
    fc.constantFrom('UID', 'IFS', 'a.b', 'x-y', 'OPTIND'),
  )
  const values = fc.oneof(text, awkward)
  try {
    fc.assert(
      fc.property(
        fc.array(values, { maxLength: 6 }),
        fc.dictionary(name, values, { maxKeys: 5, noNullPrototype: true }),
        fc.dictionary(fc.stringMatching(/^S[A-Z]{4,9}$/), values, { maxKeys: 3, noNullPrototype: true }),
        (words, env, secrets) => {
          const show = 'process.stdout.write(JSON.stringify([process.argv.slice(1),process.env]))'
          const argv = [process.execPath, '-e', show, '--', ...words]
          for (const file of runFiles({ argv, env, secrets })) {
            if (file.type !== 'file') continue
            const content = String(file.content).replaceAll('/run/icebox', dir)
            writeFileSync(join(dir, file.name), content)
          }
          const [given, got] = JSON.parse(
            execFileSync('/bin/sh', [join(dir, 'start')], { env: { PATH: '/usr/bin:/bin' } }).toString(
              'utf8',
            ),
          ) as [string[], Record<string, string>]
          expect(given).toEqual(words)
          expect(got).toMatchObject({ ...env, ...secrets })
        },
      ),
      { numRuns: 15 },
    )
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
  expect(START_SCRIPT).toContain('exec "$@"')
})
