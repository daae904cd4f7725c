import type { Snapshot } from '../../src-preload/contract/index.ts'
import { ownIdentity, type ProcessIdentity } from '../system/process-identity.ts'
import { notifyChange } from './changes.ts'
import { readJsonObject, removeDurable, writeDurable } from './durable-file.ts'
import type { RunOrder } from './metadata.ts'
import type { StateRoot } from './root.ts'
import { parseRuntimeRef, type RuntimeRef } from './runtime-ref.ts'

export type IntentOperation =
  | 'start'
  | 'resume'
  | 'freeze'
  | 'fork'
  | 'destroy'
  | 'stop'
  | 'restart'
  | 'adopt'
  | 'import'
  | 'carry'

/** `intent.json`: the operation in flight, written durably before anything else happens. */
export interface Intent {
  readonly op: IntentOperation
  /** The run that is being launched, or whose runtime is being frozen. */
  readonly runId: string | null
  readonly previous: RuntimeRef | null
  readonly runtime: RuntimeRef | null
  readonly snapshotId: string | null
  /** Tag or path under which a snapshot is being captured. */
  readonly target: string | null
  /** The snapshot record as far as it is known; recovery completes it. */
  readonly draft: Snapshot | null
  /** Extra facts for recovery, such as the run's mode. */
  readonly launch?: LaunchFacts | undefined
  /** True for a stop that is the first half of a restart, so that its end is not meant to last. */
  readonly isForRestart?: boolean | undefined
}

/** What recovery has to know of a launch to finish it. */
export interface LaunchFacts {
  readonly interactive: boolean
  readonly fromSnapshot: string | null
  /** Set when the run goes to another backend than the bottle's: where it goes. */
  readonly backend?: string | undefined
  /** True when the bottle comes back from `fromSnapshot` once the run is recorded. */
  readonly becomesCurrent?: boolean | undefined
  /** When a restart launches: its run goes on under the same id, so this tells its record from the former launch's. */
  readonly startedAt?: string | undefined
  /** When the former launch of a restarted run ended, by the engine's clock. */
  readonly formerEnd?: string | undefined
  readonly order?: RunOrder | undefined
}

export interface WrittenIntent extends Intent {
  readonly version: 1
  readonly by: ProcessIdentity
  readonly startedAt: string
}

function file(root: StateRoot, slug: string): string {
  return root.path('state', slug, 'intent.json')
}

/** The intent's text, for a state folder that is put in place at once. */
export async function intentText(intent: Intent): Promise<string> {
  const written: WrittenIntent = {
    version: 1,
    ...intent,
    by: await ownIdentity(),
    startedAt: new Date().toISOString(),
  }
  return `${JSON.stringify(written, null, 2)}\n`
}

/** Writes the intent durably. The caller holds the bottle's lock. */
export async function writeIntent(root: StateRoot, slug: string, intent: Intent): Promise<void> {
  await writeDurable(file(root, slug), await intentText(intent))
  notifyChange(root, slug)
}

/** Ends the operation: from now on nothing needs recovery. */
export async function clearIntent(root: StateRoot, slug: string): Promise<void> {
  await removeDurable(file(root, slug))
  notifyChange(root, slug)
}

/** The intent in flight; null for none. A damaged one is told by `corrupt`. */
export async function readIntent(root: StateRoot, slug: string): Promise<WrittenIntent | 'corrupt' | null> {
  const read = await readJsonObject(file(root, slug))
  if (read.kind === 'absent') return null
  if (read.kind === 'corrupt') return 'corrupt'
  const value = read.value as Partial<WrittenIntent>
  if (typeof value.op !== 'string' || !value.by) return 'corrupt'
  return {
    version: 1,
    op: value.op,
    runId: value.runId ?? null,
    previous: parseRuntimeRef(value.previous),
    runtime: parseRuntimeRef(value.runtime),
    snapshotId: value.snapshotId ?? null,
    target: value.target ?? null,
    draft: value.draft ?? null,
    launch: value.launch,
    isForRestart: value.isForRestart === true || undefined,
    by: value.by,
    startedAt: value.startedAt ?? '',
  }
}
