import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isBottleError } from '../../system/bottle-error.ts'
import type { GuestSurvey } from './capture-left-out.ts'
import { MARKER_PATH, type Machines } from './capture-ports.ts'
import type { FreezerTools } from './capture-scene.ts'
import { LOOK_MS } from './client.ts'
import {
  CHECK_SCRIPT,
  COUNT_SCRIPT,
  isWhole,
  MARK_SCRIPT,
  parseEntries,
  parseMarker,
  parseSurvey,
} from './guest-scripts.ts'

const MARK_MS = 120_000
/** As shells and runtimes say that a program can't be run. */
const NO_PROGRAM: ReadonlySet<number> = new Set([126, 127])

export interface Marked {
  /** Null when the image has no shell to look with. */
  readonly survey: Omit<GuestSurvey, 'entries'> | null
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
  if (exitCode === 0) return { survey: parseSurvey(stdout) }
  // No shell: a file can still be copied in, without a look around.
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
  return { survey: null }
}

/** How many entries lie on the disk of a machine in which nothing runs; null where it can't count. */
export async function countEntries(
  tools: FreezerTools,
  machine: string,
  signal: AbortSignal,
): Promise<number | null> {
  const { exitCode, stdout } = await shell(
    tools.machines,
    machine,
    ['sh', '-c', COUNT_SCRIPT, 'icebox'],
    signal,
  )
  return exitCode === 0 ? parseEntries(stdout) : null
}

/** Why a machine made of a snapshot is not what was frozen, as a sentence; null when it is. @throws BottleError */
export async function markerProblem(
  tools: FreezerTools,
  machine: string,
  expected: { readonly marker: string; readonly entries: number | null },
  folder: string,
  signal: AbortSignal,
): Promise<string | null> {
  const found = await readMarker(tools, machine, folder, signal)
  if (found.marker !== expected.marker)
    return found.marker === null
      ? 'A file that was written before the freeze is not in it.'
      : 'It holds the files of another freeze.'
  return isWhole(expected.entries, found.entries)
    ? null
    : `It holds ${found.entries} of ${expected.entries} files and folders.`
}

async function readMarker(tools: FreezerTools, machine: string, folder: string, signal: AbortSignal) {
  const args = ['sh', '-c', CHECK_SCRIPT, 'icebox', MARKER_PATH]
  const { exitCode, stdout } = await shell(tools.machines, machine, args, signal)
  if (!NO_PROGRAM.has(exitCode)) return { marker: parseMarker(stdout), entries: parseEntries(stdout) }
  const file = join(folder, 'marker')
  try {
    const copy = ['machine', 'cp', `${machine}:${MARKER_PATH}`, file]
    await tools.client.run('copy a file out of the machine', copy, {
      signal,
      timeout: LOOK_MS,
      okCodes: 'any',
    })
    return { marker: (await readFile(file, 'utf8').catch(() => '')).trim() || null, entries: null }
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
