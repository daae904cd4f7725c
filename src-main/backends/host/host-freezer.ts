import { spawn } from 'node:child_process'
import { join, resolve, sep } from 'node:path'
import type { BackendName, Snapshot } from '../../../src-preload/contract/index.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Captured, ReportProgress } from '../backend.ts'
import {
  type CaptureTarget,
  type FreezeOptions,
  type FreezeOutcome,
  Freezer,
  type FreezeSubject,
} from '../freezer.ts'
import { canShareBlocks } from './clone-trees.ts'
import type { HostContext } from './host-context.ts'
import { hasTrees } from './live-trees.ts'
import { bottlePaths, runPaths } from './paths.ts'
import { endDeadPause, whilePaused } from './pause-family.ts'
import { isSurelyOver, processesOf } from './run-record.ts'
import { copyLive, deleteSnapshotTrees, finishSnapshot, isIntact, readManifest } from './snapshot-trees.ts'
import type { TreeManifest } from './tree-manifest.ts'

/** Freezes a host bottle: its processes stand still while its two folders are copied beside its records. */
export class HostFreezer extends Freezer {
  override readonly backend: BackendName = 'host'
  private readonly context: HostContext

  constructor(context: HostContext) {
    super()
    this.context = context
  }

  /**
   * Sends the copy on its way to the disk once everything is recorded: begun earlier, the records' own writes would
   * have to wait for all of it.
   */
  override async freeze(...args: Parameters<Freezer['freeze']>): Promise<FreezeOutcome> {
    const outcome = await super.freeze(...args)
    beginFlush(outcome.snapshot.reference)
    return outcome
  }

  override targetFor(_subject: Pick<FreezeSubject, 'slug'>, _snapshotId: string, partsDir: string): string {
    return partsDir
  }

  protected override async capture(
    subject: FreezeSubject,
    target: CaptureTarget,
    _options: FreezeOptions,
    progress: ReportProgress,
    signal: AbortSignal,
  ): Promise<Captured> {
    const bottle = bottlePaths(this.context.home, subject.slug)
    const run = runPaths(bottle, subject.runtime.runId)
    const isShared = await canShareBlocks(join(this.context.home, 'icebox'))
    if (!(await hasTrees(bottle))) {
      throw bottleError(
        'not-found',
        `The files of ${subject.slug} are gone (${bottle.live}); nothing can be frozen.`,
      )
    }
    progress({ phase: 'copying', current: null, total: null })
    let manifest: TreeManifest | null = null
    const copy = async (): Promise<void> => {
      manifest = await copyLive(bottle.live, target.partsDir, isShared, signal)
    }
    const pausedMs = (await isSurelyOver(run, subject.runtime))
      ? await copy().then(() => 0)
      : await whilePaused(processesOf(subject.runtime), run.pause, signal, copy)
    if (!manifest) throw bottleError('internal', 'The copy ended without a result.')
    await finishSnapshot(target.partsDir, manifest)
    return capturedOf(target.reference, manifest, pausedMs)
  }

  protected override async verify(
    captured: Captured,
    target: CaptureTarget,
    signal: AbortSignal,
  ): Promise<void> {
    const manifest = await readManifest(target.partsDir)
    if (manifest?.digest === captured.digest && (await isIntact(target.partsDir, manifest, signal))) return
    throw bottleError(
      'internal',
      'The copy differs from what was frozen, so it was not kept. Freeze again.',
      {
        detail: target.partsDir,
      },
    )
  }

  protected override async discard(subject: FreezeSubject, target: CaptureTarget): Promise<boolean> {
    const run = runPaths(bottlePaths(this.context.home, subject.slug), subject.runtime.runId)
    await endDeadPause(processesOf(subject.runtime), run.pause)
    await deleteSnapshotTrees(target.partsDir)
    return true
  }

  protected override exportHint(snapshot: Snapshot): string | null {
    return `icebox export ${snapshot.slug}@${snapshot.id} -o ${snapshot.slug}.bottle`
  }
}

/** The record's part that the trees themselves tell; also for a capture that a dead process finished. */
export function capturedOf(reference: string, manifest: TreeManifest, pausedMs: number | null): Captured {
  return {
    reference,
    digest: manifest.digest,
    fidelity: 'files',
    leftOut: manifest.leftOut,
    bytes: manifest.diskBytes,
    ownBytes: manifest.diskBytes,
    volumes: [],
    facts: {
      entries: manifest.entries,
      fileBytes: manifest.bytes,
      ...(pausedMs === null ? {} : { pausedMs }),
    },
    notices: [],
  }
}

/**
 * Sends the copy on its way to the disk without waiting, also beyond this process. The originals stay until a
 * resume replaces them, and that one waits for the disk (`settleLive`), so no power cut takes both.
 */
function beginFlush(partsDir: string): void {
  const args = process.platform === 'darwin' ? [] : ['-f', partsDir]
  const child = spawn('sync', args, { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}

/** The target of an intent, if it is a place where this bottle's snapshots lie. */
export function ownTarget(home: string, slug: string, target: string | null): string | null {
  if (!target) return null
  const path = resolve(target)
  return path.startsWith(bottlePaths(home, slug).snapshots + sep) && path.endsWith('.d') ? path : null
}
