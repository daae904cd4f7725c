import { spawn } from 'node:child_process'
import { join, resolve, sep } from 'node:path'
import { bottleError } from '../../system/bottle-error.ts'
import type { Captured, ReportProgress } from '../backend.ts'
import type { CaptureTarget, FreezeSubject } from '../freezer.ts'
import { canShareBlocks } from './clone-trees.ts'
import { hasTrees } from './live-trees.ts'
import { bottlePaths, runPaths } from './paths.ts'
import { endDeadPause, whilePaused } from './pause-family.ts'
import { isSurelyOver, processesOf } from './run-record.ts'
import { copyLive, deleteSnapshotTrees, finishSnapshot, isIntact, readManifest } from './snapshot-trees.ts'
import type { TreeManifest } from './tree-manifest.ts'

/** Copies a bottle's two folders beside its records while its processes stand still. @throws BottleError */
export async function captureLive(
  home: string,
  subject: FreezeSubject,
  target: CaptureTarget,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<Captured> {
  const bottle = bottlePaths(home, subject.slug)
  const run = runPaths(bottle, subject.runtime.runId)
  const isShared = await canShareBlocks(join(home, 'icebox'))
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

/** @throws BottleError when the copy is not what was frozen */
export async function verifyCapture(
  captured: Captured,
  target: CaptureTarget,
  signal: AbortSignal,
): Promise<void> {
  const manifest = await readManifest(target.partsDir)
  if (manifest?.digest === captured.digest && (await isIntact(target.partsDir, manifest, signal))) return
  throw bottleError('internal', 'The copy differs from what was frozen, so it was not kept. Freeze again.', {
    detail: target.partsDir,
  })
}

/** Lets go of what stood still for a capture that is given up, and takes the copy away. */
export async function discardCapture(
  home: string,
  subject: FreezeSubject,
  target: CaptureTarget,
): Promise<void> {
  const run = runPaths(bottlePaths(home, subject.slug), subject.runtime.runId)
  await endDeadPause(processesOf(subject.runtime), run.pause)
  await deleteSnapshotTrees(target.partsDir)
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
export function beginFlush(partsDir: string): void {
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
