import { performance } from 'node:perf_hooks'
import type { ContainerInspectInfo } from 'dockerode'
import type { Snapshot, VolumePart } from '../../../src-preload/contract/index.ts'
import { bottleError } from '../../system/bottle-error.ts'
import type { Captured, ReportProgress } from '../backend.ts'
import { type CaptureTarget, type FreezeOptions, Freezer, type FreezeSubject } from '../freezer.ts'
import { clearCaptureState, readCaptureState, removeParts, writeCaptureState } from './capture-state.ts'
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
import { type BaseFacts, baseFacts, type DockerFacts, readFacts } from './docker-facts.ts'
import { type Engine, LONG_MS } from './engine.ts'
import { isUnanswered } from './engine-errors.ts'
import { flattenContainer } from './flatten.ts'
import { imageFacts, inspectImage } from './image-source.ts'
import { LABEL, labelOf, scratchMark, snapshotTag } from './labels.ts'
import { inspectContainer, removeTag } from './remove-objects.ts'
import { unpauseContainer } from './run-life.ts'
import { settleTarget } from './settle-capture.ts'

/** Docker refuses near 125 layers. */
const FLATTEN_AT = 100
const DISCARD_MS = 30_000
const LATE_MS = 120_000

/** Freezes by committing the container, with its volumes copied at the same point in time. */
export class DockerFreezer extends Freezer {
  readonly backend = 'docker'
  private readonly engine: Engine
  private readonly flattenAt: number

  constructor(engine: Engine, flattenAt = FLATTEN_AT) {
    super()
    this.engine = engine
    this.flattenAt = flattenAt
  }

  override targetFor(subject: FreezeSubject, snapshotId: string): string {
    return snapshotTag(subject.slug, snapshotId)
  }

  protected override async capture(
    subject: FreezeSubject,
    target: CaptureTarget,
    _options: FreezeOptions,
    progress: ReportProgress,
    signal: AbortSignal,
  ): Promise<Captured> {
    return captureContainer(this.engine, this.flattenAt, subject, target, progress, signal)
  }

  /** The capture has just read the image back under its tag; reading it again could tell nothing new. */
  protected override async verify(captured: Captured, target: CaptureTarget): Promise<void> {
    if (captured.reference === target.reference && captured.digest.startsWith('sha256:')) return
    throw bottleError('engine-failed', `Docker made something else than ${target.reference}.`)
  }

  protected override discard(subject: FreezeSubject, target: CaptureTarget): Promise<boolean> {
    return discardTarget(
      this.engine,
      subject.runtime.id,
      target.reference,
      target.partsDir,
      AbortSignal.timeout(LATE_MS),
    )
  }

  protected override exportHint(snapshot: Snapshot): string {
    return `docker save -o ${snapshot.slug}.tar ${snapshot.reference}`
  }
}

/** Takes back what a failed capture may have made; false when a commit may still be under way. */
export async function discardTarget(
  engine: Engine,
  containerId: string,
  reference: string,
  partsDir: string,
  signal: AbortSignal,
): Promise<boolean> {
  const state = await readCaptureState(partsDir)
  const outcome = await settleTarget(engine, containerId, reference, state, DISCARD_MS, signal)
  if (outcome === 'unknown') return false
  if (outcome === 'present') await removeTag(engine, reference, signal)
  await removeParts(partsDir)
  return true
}

interface Scene {
  readonly found: ContainerInspectInfo
  readonly facts: DockerFacts
  readonly isRunning: boolean
  readonly wasPaused: boolean
  readonly leftOut: readonly string[]
}

async function captureContainer(
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
  const pausedByUs = isRunning && !wasPaused && (volumes.length > 0 || isFlat)
  const isSeen = isRunning && !wasPaused && !pausedByUs
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
    if (pausedByUs) await pauseContainer(engine, found.Id, signal)
    if (volumes.length > 0) {
      copied = await copyVolumes(engine, found.Id, places, names, target.partsDir, progress, signal)
      await writeCaptureState(target.partsDir, { pausedByUs, committing: true, isSeen })
    } else if (pausedByUs) await writeCaptureState(target.partsDir, { pausedByUs, committing: true, isSeen })
    progress({ phase: isFlat ? 'flattening' : 'committing', current: null, total: null })
    const parts = copied.map(({ part }) => part)
    const body = commitBody(found, facts, labelRecord(target.record, scene, parts), target.rootId)
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

async function lookAround(engine: Engine, subject: FreezeSubject, signal: AbortSignal): Promise<Scene> {
  const found = await inspectContainer(engine, subject.runtime.id, signal)
  if (!found) {
    throw bottleError(
      'not-found',
      `There is no container ${subject.runtime.name} to freeze. See \`icebox list\`.`,
      {
        slug: subject.slug,
      },
    )
  }
  const facts = readFacts(subject.runtime)
  const isOurs = labelOf(found.Config.Labels, LABEL.root) !== null
  const sidecars = subject.runtime.sidecars.map(({ name }) => `sidecar ${name}`)
  return {
    found,
    facts: { ...facts, base: isOurs ? (facts.base ?? (await baseOf(engine, found))) : null },
    isRunning: found.State.Running,
    wasPaused: found.State.Paused,
    leftOut: [...splitMounts(found).leftOut, ...sidecars],
  }
}

/** A record may have lost the facts, and without them the wrapper would stay in the image. */
async function baseOf(engine: Engine, found: ContainerInspectInfo): Promise<BaseFacts> {
  const image = await inspectImage(engine, found.Image, AbortSignal.timeout(LATE_MS))
  if (image) return baseFacts(imageFacts(found.Config.Image, image))
  throw bottleError(
    'image-missing',
    `The image that ${found.Name.slice(1)} was made from is gone, so its command is unknown.`,
  )
}

async function layersOf(engine: Engine, image: string, signal: AbortSignal): Promise<number> {
  return (await inspectImage(engine, image, signal))?.RootFS?.Layers?.length ?? 0
}

async function pauseContainer(engine: Engine, id: string, signal: AbortSignal): Promise<void> {
  await engine.call('pause the container', signal, (docker, abortSignal) =>
    docker.getContainer(id).pause({ abortSignal }),
  )
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
  const query = { container: id, ...splitTag(reference), pause }
  const made = (await engine.call(
    `commit ${reference}`,
    signal,
    (docker, abortSignal) => docker.getContainer(id).commit({ _query: query, _body: body, abortSignal }),
    LONG_MS,
  )) as { Id: string }
  return made.Id
}

/** The record as it goes into the image, so that a lost file can be rebuilt: all but what the commit itself decides. */
function labelRecord(record: Snapshot, scene: Scene, volumes: readonly VolumePart[]): Snapshot {
  return {
    ...record,
    fidelity: volumes.length > 0 ? 'files+volumes' : 'files',
    leftOut: [...scene.leftOut],
    volumes: [...volumes],
    facts: sceneFacts(scene),
  }
}

function sceneFacts({ found, facts, isRunning }: Scene): Record<string, unknown> {
  const { base } = facts
  return {
    hasShell: facts.hasShell,
    containerId: found.Id,
    containerFinishedAt: isRunning ? null : found.State.FinishedAt,
    baseEntrypoint: base?.entrypoint ?? null,
    baseCmd: base?.cmd ?? null,
    baseWorkdir: base?.workdir ?? null,
    baseUser: base?.user ?? null,
    baseBytes: base?.bytes ?? null,
  }
}

function capturedFrom(
  reference: string,
  digest: string,
  bytes: number,
  layers: number,
  scene: Scene,
  extra: {
    readonly volumes: readonly VolumePart[]
    readonly pausedMs: number | null
    readonly fingerprint: string | null
    readonly isFlat: boolean
  },
): Captured {
  const partBytes = extra.volumes.reduce((sum, part) => sum + part.bytes, 0)
  const baseBytes = scene.facts.base?.bytes
  return {
    reference,
    digest,
    fidelity: extra.volumes.length > 0 ? 'files+volumes' : 'files',
    leftOut: scene.leftOut,
    bytes: bytes + partBytes,
    ownBytes: extra.isFlat
      ? bytes + partBytes
      : baseBytes === undefined
        ? null
        : Math.max(0, bytes - baseBytes) + partBytes,
    volumes: [...extra.volumes],
    facts: {
      ...sceneFacts(scene),
      layers,
      ...(extra.fingerprint ? { changesFingerprint: extra.fingerprint } : {}),
      ...(extra.pausedMs === null ? {} : { pausedMs: extra.pausedMs }),
    },
    notices: extra.isFlat
      ? [
          'The snapshot had too many layers for Docker, so it was flattened into one. It no longer shares space with older ones.',
        ]
      : [],
  }
}
