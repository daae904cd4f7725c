import { access } from 'node:fs/promises'
import { readJsonObject } from '../../state/durable-file.ts'
import { parseRuntimeRef } from '../../state/runtime-ref.ts'
import { isAlive, type ProcessIdentity } from '../../system/process-identity.ts'
import type { ExitFact, RuntimeRef } from '../backend.ts'
import type { RunProcesses } from '../local/process-family.ts'
import { parseIdentity, readExit } from '../local/run-result.ts'
import type { SmolRunPaths } from './run-paths.ts'

/** What this backend keeps under `facts` of its references. */
export interface SmolFacts {
  readonly root: string
  readonly identity: ProcessIdentity
  readonly tty: boolean
  /** Address of the terminal server; null for a headless run. */
  readonly socket: string | null
  readonly startedAt: string
  /** Where the run's files lie in the guest; null for an image without a shell. */
  readonly guestDir: string | null
  /** Whether anything secret was ever given to the run: its memory may hold it. */
  readonly mayHoldSecrets: boolean
  /** The image's config as far as it is known. */
  readonly config: Readonly<Record<string, unknown>> | null
  /** Folders of this machine in it, by their place inside. */
  readonly mounts: readonly string[]
  readonly notices: readonly string[]
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []

/** Reads the facts of a reference; what is damaged names no process at all. Pure. */
export function smolFacts(ref: RuntimeRef): SmolFacts {
  const { root, identity, tty, socket, startedAt, guestDir, mayHoldSecrets, config, mounts, notices } =
    ref.facts
  return {
    root: text(root),
    identity: parseIdentity(identity),
    tty: tty === true,
    socket: text(socket) || null,
    startedAt: text(startedAt),
    guestDir: text(guestDir) || null,
    mayHoldSecrets: mayHoldSecrets !== false,
    config: typeof config === 'object' && config !== null ? (config as Record<string, unknown>) : null,
    mounts: texts(mounts),
    notices: texts(notices),
  }
}

/** The processes on this machine that a reference stands for. */
export function processesOf(ref: RuntimeRef): RunProcesses {
  return { identity: smolFacts(ref).identity, runId: ref.runId, isContained: true }
}

export type RunState =
  | { readonly kind: 'gone' }
  | { readonly kind: 'running'; readonly ref: RuntimeRef }
  | { readonly kind: 'exited'; readonly ref: RuntimeRef; readonly exit: ExitFact }

/** Where a run stands as its runner tells; costs two small files and one look at a process. */
export async function runState(paths: SmolRunPaths): Promise<RunState> {
  const ref = await readRunRef(paths)
  if (!ref) return { kind: 'gone' }
  const { identity, startedAt } = smolFacts(ref)
  const exit = await readExit(paths.exit, startedAt)
  if (exit) return { kind: 'exited', ref, exit }
  if (await isAlive(identity)) return { kind: 'running', ref }
  // It may have written its result between the two looks.
  const late = await readExit(paths.exit, startedAt)
  return { kind: 'exited', ref, exit: late ?? { exitCode: null, endedAt: new Date().toISOString() } }
}

/** Null when there is none, or when it can't be read: a run without a readable record is nobody's. */
export async function readRunRef(paths: SmolRunPaths): Promise<RuntimeRef | null> {
  const read = await readJsonObject(paths.record)
  return read.kind === 'ok' ? parseRuntimeRef(read.value.ref) : null
}

/** True once the runner has begun the agent. */
export function hasStarted(paths: SmolRunPaths): Promise<boolean> {
  return access(paths.started).then(
    () => true,
    () => false,
  )
}
