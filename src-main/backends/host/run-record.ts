import { readdir } from 'node:fs/promises'
import { readJsonObject } from '../../state/durable-file.ts'
import { isAlive, type ProcessIdentity } from '../../system/process-identity.ts'
import type { ExitFact, RuntimeRef } from '../backend.ts'
import type { MultiplexerName } from '../local/multiplexer.ts'
import type { RunProcesses } from '../local/process-family.ts'
import { parseIdentity, readExit } from '../local/run-result.ts'
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
  readonly multiplexer: MultiplexerName
  /** Where the run's output begins in its log, in bytes; null where a record does not tell. */
  readonly logFrom: number | null
  /** The folder that the agent works in, below the bottle's workspace; empty for the workspace itself. */
  readonly workdir: string
  readonly startedAt: string
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Reads the facts of a reference; what is damaged names no process at all. Pure. */
export function hostFacts(ref: RuntimeRef): HostFacts {
  const { identity, isolation, tty, socket, multiplexer, logFrom, workdir, startedAt } = ref.facts
  return {
    identity: parseIdentity(identity),
    isolation: isolation === 'bwrap' || isolation === 'sandbox-exec' ? isolation : 'none',
    tty: tty === true,
    socket: typeof socket === 'string' ? socket : null,
    multiplexer: multiplexer === 'screen' ? 'screen' : 'tmux',
    logFrom: typeof logFrom === 'number' && Number.isInteger(logFrom) && logFrom >= 0 ? logFrom : null,
    workdir: text(workdir),
    startedAt: text(startedAt),
  }
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

export type RunState =
  | { readonly kind: 'gone' }
  | { readonly kind: 'running'; readonly record: RunRecord }
  | { readonly kind: 'exited'; readonly record: RunRecord; readonly exit: ExitFact }

/** Where a run stands; costs two small files and one look at a process. */
export async function runState(paths: RunPaths): Promise<RunState> {
  const record = await readRunRecord(paths)
  if (!record) return { kind: 'gone' }
  const exit = await readExit(paths.exit, record.startedAt)
  if (exit) return { kind: 'exited', record, exit }
  if (await isAlive(hostFacts(record.ref).identity)) return { kind: 'running', record }
  // It may have written its result between the two looks.
  const late = await readExit(paths.exit, record.startedAt)
  return { kind: 'exited', record, exit: late ?? { exitCode: null, endedAt: new Date().toISOString() } }
}

/**
 * True when no process of the run can be left, known without a look at any: its sandbox ended with the agent, and
 * took everything inside along.
 */
export async function isSurelyOver(run: RunPaths, ref: RuntimeRef): Promise<boolean> {
  return hostFacts(ref).isolation === 'bwrap' && (await readExit(run.exit, '')) !== null
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
