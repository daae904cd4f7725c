import { performance } from 'node:perf_hooks'
import { bottleError } from '../../system/bottle-error.ts'
import type { Captured, ReportProgress } from '../backend.ts'
import type { CaptureTarget, FreezeSubject } from '../freezer.ts'
import { capturedFrom, labelRecord, lookAround } from './capture-scene.ts'
import { clearCaptureState, removeParts, writeCaptureState } from './capture-state.ts'
import {
  type CopiedVolume,
  copyVolumes,
  declaredNames,
  resolveMounts,
  settleVolumes,
  splitMounts,
} from './capture-volumes.ts'
import { changesFingerprint } from './changed.ts'
import { commitBody } from './commit-config.ts'
import { type Engine, LONG_MS, SHORT_MS } from './engine.ts'
import { isUnanswered } from './engine-errors.ts'
import { jsonBody } from './engine-http.ts'
import { flattenContainer } from './flatten.ts'
import { inspectImage } from './image-source.ts'
import { LABEL, scratchMark } from './labels.ts'
import { inspectContainer } from './remove-objects.ts'
import { unpauseContainer } from './run-life.ts'

const LATE_MS = 120_000

/**
 * Commits a container under the target, and copies its volumes at the same point in time. The agent stands still
 * for the engine's work only: flushing and reading back come after. @throws BottleError
 */
export async function captureContainer(
  engine: Engine,
  flattenAt: number,
  subject: FreezeSubject,
  target: CaptureTarget,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<Captured> {
  const scene = await lookAround(engine, subject, signal)
  const { found, facts, isRunning, wasPaused } = scene
  const { volumes } = splitMounts(found)
  const isFlat = (facts.base?.layers ?? (await layersOf(engine, found.Image, signal))) + 1 > flattenAt
  const [places, names] = await Promise.all([
    resolveMounts(engine, found.Id, volumes, signal),
    declaredNames(engine, volumes, signal),
  ])
  // Everything else is covered by the pause that a commit makes by itself.
  const wantsPause = isRunning && !wasPaused && (volumes.length > 0 || isFlat)
  const isSeen = isRunning && !wasPaused && !wantsPause
  let pausedByUs = wantsPause
  let copied: CopiedVolume[] = []
  let digest = ''
  let pausedMs: number | null = null
  // Only a container that stands still can be compared later.
  const fingerprint = isRunning ? null : changesFingerprint(engine, found.Id, signal)
  fingerprint?.catch(() => {})
  await writeCaptureState(target.partsDir, {
    pausedByUs,
    committing: !pausedByUs && volumes.length === 0,
    isSeen,
  })
  const since = performance.now()
  try {
    if (wantsPause) pausedByUs = await pauseContainer(engine, found.Id, signal)
    if (volumes.length > 0) {
      copied = await copyVolumes(engine, found.Id, places, names, target.partsDir, progress, signal)
      await writeCaptureState(target.partsDir, { pausedByUs, committing: true, isSeen })
    } else if (wantsPause) await writeCaptureState(target.partsDir, { pausedByUs, committing: true, isSeen })
    progress({ phase: isFlat ? 'flattening' : 'committing', current: null, total: null })
    const parts = copied.map(({ part }) => part)
    const body = commitBody(found, facts, labelRecord(target.record, scene, parts, isFlat), target.rootId)
    digest = isFlat
      ? await flattenContainer(
          engine,
          found,
          body,
          splitTag(target.reference),
          scratchMark(target.rootId, subject.slug),
          signal,
        )
      : await commit(engine, found.Id, body, target.reference, !pausedByUs, signal)
  } catch (thrown) {
    // The engine refused: nothing is on its way any more.
    if (!isUnanswered(thrown))
      await writeCaptureState(target.partsDir, { pausedByUs, committing: false, isSeen })
    throw thrown
  } finally {
    if (pausedByUs) {
      await unpauseContainer(engine, found.Id, AbortSignal.timeout(LATE_MS))
      pausedMs = Math.round(performance.now() - since)
    }
  }
  const [image] = await Promise.all([
    readBack(engine, target, digest, signal),
    settleVolumes(copied, target.partsDir),
  ])
  if (copied.length > 0) await clearCaptureState(target.partsDir)
  else await removeParts(target.partsDir)
  return capturedFrom(target.reference, image.Id, image.Size, image.RootFS?.Layers?.length ?? 0, scene, {
    volumes: copied.map(({ part }) => part),
    pausedMs,
    fingerprint: await fingerprint,
    isFlat,
  })
}

/** Proves that the tag leads to what the commit made, with the config that was asked for. */
async function readBack(engine: Engine, target: CaptureTarget, digest: string, signal: AbortSignal) {
  const image = await inspectImage(engine, target.reference, signal)
  if (image && image.Id === digest && image.Config?.Labels?.[LABEL.snapshot] === target.snapshotId)
    return image
  throw bottleError(
    'engine-failed',
    `Docker says that it made ${target.reference}, but that image is not as it should be.`,
  )
}

async function layersOf(engine: Engine, image: string, signal: AbortSignal): Promise<number> {
  return (await inspectImage(engine, image, signal))?.RootFS?.Layers?.length ?? 0
}

/** Pauses a container; false when its agent ended just before, which is as good. @throws BottleError */
async function pauseContainer(engine: Engine, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    await engine.send(
      'pause the container',
      { method: 'POST', path: `/containers/${id}/pause` },
      signal,
      SHORT_MS,
    )
    return true
  } catch (thrown) {
    if (isUnanswered(thrown)) throw thrown
    const found = await inspectContainer(engine, id, signal)
    if (!found || found.State.Running) throw thrown
    return false
  }
}

function splitTag(reference: string): { repo: string; tag: string } {
  const at = reference.lastIndexOf(':')
  return { repo: reference.slice(0, at), tag: reference.slice(at + 1) }
}

async function commit(
  engine: Engine,
  id: string,
  body: Record<string, unknown>,
  reference: string,
  pause: boolean,
  signal: AbortSignal,
): Promise<string> {
  const query = new URLSearchParams({ container: id, ...splitTag(reference), pause: String(pause) })
  const made = await engine.send<{ Id: string }>(
    `commit ${reference}`,
    { method: 'POST', path: `/commit?${query}`, body: jsonBody(body) },
    signal,
    LONG_MS,
  )
  if (!made) throw bottleError('engine-failed', `Docker did not say what it made of ${reference}.`)
  return made.Id
}
