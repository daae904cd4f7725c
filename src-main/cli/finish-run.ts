import type { FinishedRun } from '../bottles/services.ts'
import type { Icebox } from '../icebox.ts'
import type { Face } from './face.ts'
import { runFailure } from './run-agent.ts'
import { connectUntilExit } from './terminal.ts'

/**
 * What follows a launch at the command line: a headless run has ended, an interactive one gets this terminal, and one
 * that is kept running goes on by itself. Answers with the exit code 0, or throws the agent's failure.
 * @param json the result, with the exit code where the run has one
 */
export async function finishAtFace(
  face: Face,
  icebox: Icebox,
  run: FinishedRun,
  json: (exitCode: number | null) => unknown,
): Promise<number> {
  const { slug, way } = run
  const exitCode = way === 'interactive' ? await connectUntilExit(face, icebox, slug) : run.exitCode
  // The result comes also when the agent failed: its slug is what the work can be reached by.
  await face.result({ json: json(exitCode), text: '', essential: slug })
  if (way === 'detached') {
    await face.say(`${slug} runs. \`icebox attach ${slug}\` shows it, \`icebox stop ${slug}\` ends it.`)
    return 0
  }
  const failed = way === 'headless' || exitCode !== null ? runFailure({ ...run, exitCode }) : null
  if (failed) throw failed
  if (way === 'headless') {
    await face.say(`${slug}: the agent is done. Keep its work with \`icebox freeze ${slug}\`.`)
  }
  return 0
}
