import { readdir, stat } from 'node:fs/promises'
import { readJsonObject, readText } from '../../state/durable-file.ts'
import { isAlive, type ProcessIdentity } from '../../system/process-identity.ts'
import type { ExitFact, RuntimeRef } from '../backend.ts'
import type { RunProcesses } from '../local/process-family.ts'
import type { IsolationKind } from './isolation.ts'
import { type BottlePaths, bottlePaths, type RunPaths, runPaths } from './paths.ts'

/** `runtime.json`: everything that a later process needs to know of a run. */
export interface RunRecord {
  readonly version: 1
  readonly ref: RuntimeRef
  readonly startedAt: string
}

/** What this backend keeps under `facts` of its references. */
export interface HostFacts {
  readonly identity: ProcessIdentity
  readonly isolation: IsolationKind
  readonly tty: boolean
  /** Address of the terminal server; null for a headless run. */
  readonly socket: string | null
  readonly startedAt: string
}

const GONE: ProcessIdentity = { pid: 0, startTime: '', bootId: '' }

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Reads the facts of a reference; what is damaged names no process at all. Pure. */
export function hostFacts(ref: RuntimeRef): HostFacts {
  const { identity, isolation, tty, socket, startedAt } = ref.facts
  return {
    identity: parseIdentity(identity),
    isolation: isolation === 'bwrap' || isolation === 'sandbox-exec' ? isolation : 'none',
    tty: tty === true,
    socket: typeof socket === 'string' ? socket : null,
    startedAt: text(startedAt),
  }
}

function parseIdentity(value: unknown): ProcessIdentity {
  if (typeof value !== 'object' || value === null) return GONE
  const { pid, startTime, bootId } = value as Partial<Record<keyof ProcessIdentity, unknown>>
  const isWhole =
    typeof pid === 'number' && Number.isInteger(pid) && pid > 1 && text(startTime) && text(bootId)
  return isWhole ? { pid, startTime: text(startTime), bootId: text(bootId) } : GONE
}

/** The processes that a reference stands for. */
export function processesOf(ref: RuntimeRef): RunProcesses {
  const facts = hostFacts(ref)
  return { identity: facts.identity, runId: ref.runId, isContained: facts.isolation === 'bwrap' }
}

/** Null when there is none, or when it can't be read: a run without a readable record is nobody's. */
export async function readRunRecord(paths: RunPaths): Promise<RunRecord | null> {
  const read = await readJsonObject(paths.record)
  if (read.kind !== 'ok') return null
  const { ref, startedAt } = read.value
  if (typeof ref !== 'object' || ref === null || !('slug' in ref) || !('facts' in ref)) return null
  return { version: 1, ref: ref as RuntimeRef, startedAt: text(startedAt) }
}

/** How the agent ended, as its runner wrote it down; null when it did not, or not yet. */
export async function readExit(paths: RunPaths, startedAt: string): Promise<ExitFact | null> {
  const written = await readText(paths.exit)
  // Blanks wait for the result from the launch on.
  if (written === undefined || written.trim() === '') return null
  try {
    const { exitCode, endedAt } = JSON.parse(written) as { exitCode?: unknown; endedAt?: unknown }
    // The runner may have had no clock any more when it was stopped; the file's own time stands in.
    const told = text(endedAt) || (await stat(paths.exit)).mtime.toISOString()
    // Whole seconds may lie before a start that was noted in milliseconds.
    const at = Date.parse(told) >= Date.parse(startedAt) ? told : startedAt
    return { exitCode: typeof exitCode === 'number' ? exitCode : null, endedAt: at }
  } catch {
    // An unreadable result is an unknown one, never a missing one.
    return { exitCode: null, endedAt: startedAt }
  }
}

export type RunState =
  | { readonly kind: 'gone' }
  | { readonly kind: 'running'; readonly record: RunRecord }
  | { readonly kind: 'exited'; readonly record: RunRecord; readonly exit: ExitFact }

/** Where a run stands; costs two small files and one look at a process. */
export async function runState(paths: RunPaths): Promise<RunState> {
  const record = await readRunRecord(paths)
  if (!record) return { kind: 'gone' }
  const exit = await readExit(paths, record.startedAt)
  if (exit) return { kind: 'exited', record, exit }
  if (await isAlive(hostFacts(record.ref).identity)) return { kind: 'running', record }
  // It may have written its result between the two looks.
  const late = await readExit(paths, record.startedAt)
  return { kind: 'exited', record, exit: late ?? { exitCode: null, endedAt: new Date().toISOString() } }
}

/**
 * True when no process of the run can be left, known without a look at any: its sandbox ended with the agent, and
 * took everything inside along.
 */
export async function isSurelyOver(run: RunPaths, ref: RuntimeRef): Promise<boolean> {
  return hostFacts(ref).isolation === 'bwrap' && (await readExit(run, '')) !== null
}

/** The folders of a reference. */
export function pathsOf(
  home: string,
  ref: RuntimeRef,
): { readonly bottle: BottlePaths; readonly run: RunPaths } {
  const bottle = bottlePaths(home, ref.slug)
  return { bottle, run: runPaths(bottle, ref.runId) }
}

/** Ids of the runs that have a folder. */
export async function runIdsOf(bottle: BottlePaths): Promise<readonly string[]> {
  const names = await readdir(bottle.runs).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [] as string[]
    throw error
  })
  return names.filter((name) => /^[0-9a-zA-Z]{1,40}$/.test(name))
}

/** The newest run of a bottle that has a record; null when none has. */
export async function newestRun(bottle: BottlePaths): Promise<RunRecord | null> {
  const ids = await runIdsOf(bottle)
  const records = await Promise.all(ids.map((id) => readRunRecord(runPaths(bottle, id))))
  return records
    .filter((record) => record !== null)
    .reduce<RunRecord | null>((best, next) => (best && best.startedAt > next.startedAt ? best : next), null)
}
