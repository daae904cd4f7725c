import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isBottleError } from '../../system/bottle-error.ts'
import type { GuestSurvey } from './capture-left-out.ts'
import { MARKER_PATH, type Machines } from './capture-ports.ts'
import type { FreezerTools } from './capture-scene.ts'
import { LOOK_MS } from './client.ts'
import { CHECK_SCRIPT, isMarked, MARK_SCRIPT, parseMarker, parseSurvey } from './guest-scripts.ts'

const MARK_MS = 120_000
/** As shells and runtimes say that a program can't be run. */
const NO_PROGRAM: ReadonlySet<number> = new Set([126, 127])

export interface Marked {
  /** Null when the image has no shell to look with. */
  readonly survey: GuestSurvey | null
}

/** Leaves a text in a machine that runs, on its disk when this returns, and looks what else is there. @throws BottleError */
export async function mark(
  tools: FreezerTools,
  machine: string,
  text: string,
  folder: string,
  signal: AbortSignal,
): Promise<Marked> {
  const args = ['sh', '-c', MARK_SCRIPT, 'icebox', MARKER_PATH, text]
  const { exitCode, stdout } = await shell(tools.machines, machine, args, signal)
  const survey = exitCode === 0 ? parseSurvey(stdout) : null
  if (survey && isMarked(stdout)) return { survey }
  // No shell, or a user who may not write there: a file can still be copied in.
  const file = join(folder, 'marker')
  await writeFile(file, `${text}\n`)
  await tools.client.run(
    'copy a file into the machine',
    ['machine', 'cp', file, `${machine}:${MARKER_PATH}`],
    {
      signal,
      timeout: LOOK_MS,
    },
  )
  await rm(file)
  return { survey }
}

/** Why a machine made of a snapshot is not what was frozen, as a sentence; null when it is. @throws BottleError */
export async function markerProblem(
  tools: FreezerTools,
  machine: string,
  expected: string,
  folder: string,
  signal: AbortSignal,
): Promise<string | null> {
  const marker = await readMarker(tools, machine, folder, signal)
  if (marker === expected) return null
  return marker === null
    ? 'A file that was written before the freeze is not in it.'
    : 'It holds the files of another freeze.'
}

async function readMarker(
  tools: FreezerTools,
  machine: string,
  folder: string,
  signal: AbortSignal,
): Promise<string | null> {
  const args = ['sh', '-c', CHECK_SCRIPT, 'icebox', MARKER_PATH]
  const { exitCode, stdout } = await shell(tools.machines, machine, args, signal)
  if (!NO_PROGRAM.has(exitCode)) return parseMarker(stdout)
  const file = join(folder, 'marker')
  try {
    const copy = ['machine', 'cp', `${machine}:${MARKER_PATH}`, file]
    await tools.client.run('copy a file out of the machine', copy, {
      signal,
      timeout: LOOK_MS,
      okCodes: 'any',
    })
    return (await readFile(file, 'utf8').catch(() => '')).trim() || null
  } finally {
    await rm(file, { force: true })
  }
}

/** A guest without a shell is an answer; an engine that fails is none. */
async function shell(machines: Machines, machine: string, argv: readonly string[], signal: AbortSignal) {
  try {
    return await machines.exec(machine, argv, { signal, timeout: MARK_MS, okCodes: [0, ...NO_PROGRAM] })
  } catch (thrown) {
    const isAbsent =
      isBottleError(thrown) &&
      /executable file .*not found|no such file or directory/i.test(thrown.detail ?? '')
    if (isAbsent) return { exitCode: 127, stdout: '', stderr: '' }
    throw thrown
  }
}
