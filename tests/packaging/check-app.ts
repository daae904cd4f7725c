// Checks an app that electron-builder has packed around a real Electron: node tests/packaging/check-app.ts <program>
// Its fuses are read back from the binary, and its command line makes the round trip of a bottle on this machine.
import { runChild } from '../support/child.ts'
import { wrongFuses } from '../support/packaging/fuses.ts'
import { wrongCommands } from '../support/packaging/round-trip.ts'

/** As the command that the app installs starts it. */
const COMMAND = process.platform === 'linux' ? ['--ozone-platform=headless', '--cli', '--'] : ['--cli', '--']

/** With its fuses off these variables are not heard; a program that hears the first is a plain Node and knows no `--cli`. */
async function hearsVariables(program: string): Promise<readonly string[]> {
  const { exitCode, output } = await runChild(program, [...COMMAND, '--version'], {
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '--require=/does/not/exist.cjs' },
    timeout: 60_000,
  })
  return exitCode === 0 ? [] : [`--version ended with ${exitCode}: ${output}`]
}

const [program] = process.argv.slice(2)
if (program === undefined) {
  console.error('usage: node tests/packaging/check-app.ts <program>')
  process.exitCode = 2
} else {
  const problems = [
    ...(await wrongFuses(program)),
    ...(await hearsVariables(program)),
    ...(await wrongCommands([program, ...COMMAND])),
  ]
  for (const problem of problems) console.error(problem)
  console.log(
    `${program}: ${problems.length === 0 ? 'fuses and commands are as they should be' : 'not as it should be'}`,
  )
  process.exitCode = problems.length === 0 ? 0 : 1
}
