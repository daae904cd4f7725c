import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import {
  launchScript,
  RUNNER_SCRIPT,
  SANDBOX_STATUS_FD,
} from '../../../../src-main/backends/local/runner-script.ts'

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

describe('a sandbox that gives up before the agent began', () => {
  let dir = ''
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  /** Stands in for bwrap: gives up so often, then runs what follows `--`, telling both as the real one does. */
  const run = (failures: number, agent: string) => {
    dir = mkdtempSync(join(tmpdir(), 'icebox-runner-'))
    writeFileSync(
      join(dir, 'bwrap'),
      `#!/bin/sh
echo x >>${dir}/tries
echo '{ "child-pid": 1 }' >&${SANDBOX_STATUS_FD}
if [ "$(wc -l <${dir}/tries)" -le ${failures} ]; then echo 'bwrap: No such file' >&2; exit 1; fi
sh -c "$1" ${SANDBOX_STATUS_FD}>&-
code=$?
echo "{ \\"exit-code\\": $code }" >&${SANDBOX_STATUS_FD}
exit $code
`,
      { mode: 0o700 },
    )
    writeFileSync(join(dir, 'runner'), RUNNER_SCRIPT)
    writeFileSync(join(dir, 'exit.json'), ' '.repeat(127))
    const argv = [
      join(dir, 'runner'),
      dir,
      join(dir, 'log'),
      join(dir, 'index'),
      '',
      join(dir, 'bwrap'),
      agent,
    ]
    writeFileSync(join(dir, 'log'), '')
    const { status } = spawnSync('/bin/sh', argv, { input: 'go\n' })
    const read = (name: string) => readFileSync(join(dir, name), 'utf8')
    return { status, log: read('log'), tries: read('tries').length / 2, exit: JSON.parse(read('exit.json')) }
  }

  it('is made again, and what it said is not in the output of the agent', () => {
    expect(run(3, 'echo hello')).toMatchObject({ status: 0, log: 'hello\n', tries: 4, exit: { exitCode: 0 } })
  })

  it('is not made for ever, and says why', () => {
    expect(run(99, 'echo hello')).toMatchObject({ status: 1, log: 'bwrap: No such file\n', tries: 6 })
  })

  it('is told from an agent that fails', () => {
    expect(run(0, 'echo done; exit 1')).toMatchObject({ status: 1, log: 'done\n', tries: 1 })
    rmSync(dir, { recursive: true, force: true })
    expect(run(0, 'exit 7')).toMatchObject({ status: 7, tries: 1 })
  })
})
