import type { BackendName, FreezeReason, SessionMark, Snapshot } from '../../src-preload/contract/index.ts'
import { clearIntent, writeIntent } from '../state/intent.ts'
import { appendJournal } from '../state/journal.ts'
import type { StateRoot } from '../state/root.ts'
import {
  markPreserved,
  newSnapshotId,
  readCommittedImage,
  removeSnapshotRecord,
  writeCommittedImage,
  writeSnapshot,
} from '../state/snapshot-files.ts'
import { toBottleError } from '../system/bottle-error.ts'
import { faultPoint } from '../system/fault.ts'
import type { Captured, ReportProgress, RuntimeRef } from './backend.ts'

/** The bottle as a freezer sees it: its records and its runtime, both read under the bottle's lock. */
export interface FreezeSubject {
  readonly slug: string
  readonly stateDir: string
  readonly runtime: RuntimeRef
  /** The snapshot that becomes the parent: the newest of this run, else the one it was launched from. */
  readonly parent: Snapshot | null
  readonly agent: string
  readonly provider: string
  /** The conversation in its files; null when there is none, undefined when nobody can tell. */
  readonly session?: SessionMark | null | undefined
}

export interface FreezeOptions {
  readonly reason: FreezeReason
  readonly note: string
  readonly label: string
  readonly pinned: boolean
  /** Asked before a backend has to stop the bottle; false declines and nothing is changed. */
  readonly confirm: (question: string) => Promise<boolean>
}

/** Where a capture goes: a new unique reference, so that the older snapshot stays usable. */
export interface CaptureTarget {
  readonly snapshotId: string
  /** Image tag, or on the host the absolute path of `snapshots/<id>.d`. */
  readonly reference: string
  /** Folder beside the record for what the image can't hold; made by the capture when it needs it. */
  readonly partsDir: string
  readonly rootId: string
  /** The record as far as it is known before the capture, for the image's `dev.icebox.record` label. */
  readonly record: Snapshot
}

export interface FreezeOutcome {
  readonly snapshot: Snapshot
  readonly notices: readonly string[]
  /** How another program takes the snapshot out, if this backend knows. */
  readonly exportHint: string | null
}

/**
 * What every backend shares in a freeze; subclasses only capture. The caller holds the bottle's lock.
 * Flow: intent → capture under a new reference → verify → record → switch `committed-image` → clear intent.
 * A crash at any point leaves the older snapshot usable; recovery reads the intent.
 * Source: architecture.md, "The life of a freeze"; seed 001 for the split between base class and capture.
 */
export abstract class Freezer {
  abstract readonly backend: BackendName

  /** @throws BottleError; the older snapshot is then still current and the target is gone or named by the intent. */
  async freeze(
    root: StateRoot,
    subject: FreezeSubject,
    options: FreezeOptions,
    progress: ReportProgress,
    signal: AbortSignal,
  ): Promise<FreezeOutcome> {
    signal.throwIfAborted()
    const id = newSnapshotId(new Date())
    const partsDir = root.path('state', subject.slug, 'snapshots', `${id}.d`)
    const reference = this.targetFor(subject, id, partsDir)
    const draft = draftRecord(this.backend, subject, options, id, reference)
    const target: CaptureTarget = { snapshotId: id, reference, partsDir, rootId: root.id, record: draft }
    await writeIntent(root, subject.slug, {
      op: 'freeze',
      runId: subject.runtime.runId,
      previous: null,
      runtime: subject.runtime,
      snapshotId: id,
      target: reference,
      draft,
    })
    faultPoint('freeze:after-intent')
    let reached = reference
    try {
      progress({ phase: 'capturing', current: null, total: null })
      const captured = await this.capture(subject, target, options, progress, signal)
      reached = captured.reference
      faultPoint('freeze:after-capture')
      progress({ phase: 'verifying', current: null, total: null })
      await this.verify(captured, target, signal)
      faultPoint('freeze:after-verify')
      const snapshot = finishRecord(draft, captured)
      await recordSnapshot(root, snapshot)
      await clearIntent(root, subject.slug)
      faultPoint('freeze:after-clear')
      return { snapshot, notices: captured.notices, exportHint: this.exportHint(snapshot) }
    } catch (thrown) {
      const failed = toBottleError(thrown, subject.slug)
      // What could not be taken back stays named by the intent, and recovery comes back to it.
      if (await this.takeBack(root, subject, target, reached).catch(() => false)) {
        await clearIntent(root, subject.slug).catch(() => undefined)
      }
      await appendJournal(root, subject.slug, {
        op: 'freeze',
        outcome: failed.code === 'cancelled' ? 'cancelled' : 'failed',
        message: failed.message,
        code: failed.code,
      })
      throw failed
    }
  }

  /**
   * Undoes a failed freeze; false when something of it is left, or when it is current already and so must stay.
   * `reached` is what the capture made, which may be called otherwise than it was meant to be.
   */
  private async takeBack(
    root: StateRoot,
    subject: FreezeSubject,
    target: CaptureTarget,
    reached: string,
  ): Promise<boolean> {
    const committed = await readCommittedImage(root, subject.slug)
    if (committed.kind === 'ok' && committed.reference === reached) return false
    // The record first: it must never name what is gone.
    await removeSnapshotRecord(root, subject.slug, target.snapshotId)
    return this.discard(subject, target)
  }

  /** The new reference for a snapshot id; must be unique and derivable, so that recovery can find it. */
  abstract targetFor(subject: Pick<FreezeSubject, 'slug'>, snapshotId: string, partsDir: string): string

  /** Takes the consistent point and writes it under the target. */
  protected abstract capture(
    subject: FreezeSubject,
    target: CaptureTarget,
    options: FreezeOptions,
    progress: ReportProgress,
    signal: AbortSignal,
  ): Promise<Captured>

  /** Proves that the target exists, has the digest and has the config. */
  protected abstract verify(captured: Captured, target: CaptureTarget, signal: AbortSignal): Promise<void>

  /** Removes a half-made target after a failure; true when nothing of it is left and the bottle runs on. */
  protected abstract discard(subject: FreezeSubject, target: CaptureTarget): Promise<boolean>

  /** The command by which other programs take the snapshot out. */
  protected exportHint(_snapshot: Snapshot): string | null {
    return null
  }
}

/** The record before the capture: everything but what only the engine can tell. */
function draftRecord(
  backend: BackendName,
  subject: FreezeSubject,
  options: FreezeOptions,
  id: string,
  reference: string,
): Snapshot {
  return {
    version: 1,
    id,
    slug: subject.slug,
    parent: subject.parent?.id ?? null,
    backend,
    reference,
    digest: '',
    createdAt: new Date().toISOString(),
    fidelity: 'files',
    leftOut: [],
    bytes: 0,
    ownBytes: null,
    reason: options.reason,
    note: options.note,
    label: options.label,
    pinned: options.pinned,
    status: 'ready',
    runId: subject.runtime.runId,
    agent: subject.agent,
    provider: subject.provider,
    volumes: [],
    verified: null,
    ...(subject.session === undefined ? {} : { session: subject.session }),
    facts: {},
  }
}

/** Completes a draft with what the capture found; also used by recovery to adopt a finished capture. */
export function finishRecord(draft: Snapshot, captured: Captured): Snapshot {
  return {
    ...draft,
    reference: captured.reference,
    digest: captured.digest,
    fidelity: captured.fidelity,
    leftOut: [...captured.leftOut],
    bytes: captured.bytes,
    ownBytes: captured.ownBytes,
    volumes: [...captured.volumes],
    facts: { ...captured.facts },
  }
}

/** Record first, then the switch: `committed-image` never names what is not recorded (invariant I1). */
export async function recordSnapshot(root: StateRoot, snapshot: Snapshot): Promise<void> {
  await writeSnapshot(root, snapshot)
  faultPoint('freeze:after-record')
  await writeCommittedImage(root, snapshot.slug, snapshot.reference)
  faultPoint('freeze:after-switch')
  await markPreserved(root, snapshot.slug)
}
