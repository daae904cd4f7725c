import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { bottleError, isBottleError, toFailure } from '../../system/bottle-error.ts'
import { requireSpace } from '../../system/disk-space.ts'
import { faultPoint } from '../../system/fault.ts'
import type { Captured, ReportProgress, RuntimeRef } from '../backend.ts'
import type { CaptureTarget, FreezeOptions, FreezeSubject } from '../freezer.ts'
import { leftOutOf, requireContainer, stopQuestion } from './capture-scene.ts'
import { clearStop, noteStop, removeParts } from './capture-state.ts'
import { type ContainerClient, requireRelease } from './client.ts'
import { readFacts } from './container-facts.ts'
import { inspectContainer } from './containers.ts'
import type { ContainerEntry } from './decode.ts'
import { readImageConfig, rememberConfig } from './image-config.ts'
import { inspectImage, variantFor } from './images.ts'
import type { WrittenLayer } from './layout-file.ts'
import { type Rebuilt, rebuildImage } from './rebuild.ts'
import { standPoint } from './stand.ts'
import { showVersion } from './versions.ts'

/** What a capture needs of the backend. */
export interface FreezeParts {
  readonly client: ContainerClient
  /** Absolute path of the state root. */
  readonly home: string
  /** Ends the run's container, agent first; its files stay. */
  readonly stop: (ref: RuntimeRef, signal: AbortSignal) => Promise<void>
  /** Starts a stopped container again as it was: same command, same files, nothing delivered anew. */
  readonly startAgain: (ref: RuntimeRef, signal: AbortSignal) => Promise<void>
}

const LATE_MS = 180_000
/** Export, layout and what the engine unpacks. */
const SPACE_FACTOR = 3

/**
 * Exports a container's files and makes an image of them under the target, with the config of the image that the
 * container came from. Releases that export stopped containers only ask first and start it again in any case.
 * Nothing that a capture needs on the way stays. @throws BottleError `cancelled` when the question is declined
 */
export async function captureContainer(
  parts: FreezeParts,
  subject: FreezeSubject,
  target: CaptureTarget,
  options: FreezeOptions,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<Captured> {
  const { client, home } = parts
  const { partsDir } = target
  const gates = await requireRelease(client, signal)
  const entry = await requireContainer(client, subject, signal)
  const isRunning = entry.state === 'running' || entry.state === 'stopping'
  const mustStop = isRunning && !gates.liveExport
  if (mustStop) await ask(parts, subject, options, signal)
  const imageConfig = await readImageConfig(
    client,
    home,
    { ...entry.image, platform: entry.platform },
    partsDir,
    signal,
  )
  await requireRoom(parts, subject, entry, signal)
  await mkdir(partsDir, { recursive: true, mode: 0o700 })
  const rootfs = join(partsDir, 'rootfs.tar')
  progress({ phase: 'exporting', current: null, total: null })
  const since = performance.now()
  const notices = mustStop
    ? await exportStopped(parts, subject, partsDir, rootfs, signal)
    : await exportFiles(client, entry.id, rootfs, signal).then(() => [])
  const stoppedMs = mustStop ? Math.round(performance.now() - since) : null
  faultPoint('freeze:after-export')
  const point = isRunning ? null : await standPoint(home, subject.runtime, entry)
  progress({ phase: 'building', current: null, total: null })
  const facts = {
    hasShell: readFacts(subject.runtime).hasShell,
    containerId: entry.id,
    ...(point ? { standPoint: point } : {}),
    ...(stoppedMs === null ? {} : { stoppedMs }),
    baseLayers: 0,
    layers: 1,
  }
  const rebuilt = await rebuildImage(
    client,
    {
      rootfs,
      scratch: partsDir,
      reference: target.reference,
      rootId: target.rootId,
      platform: entry.platform,
      imageConfig: imageConfig ?? {},
      record: (layer, count) =>
        labelRecord(
          target.record,
          layer,
          [
            ...leftOutOf(entry, count.unheld),
            ...(imageConfig ? [] : [`settings of the image ${entry.image.reference}`]),
          ],
          facts,
        ),
    },
    signal,
  )
  const platform = variantFor(rebuilt.image, entry.platform)?.platform ?? entry.platform
  await rememberConfig(home, { digest: rebuilt.image.digest, platform }, fullConfig(rebuilt))
  await removeParts(partsDir)
  return capturedFrom(target.reference, rebuilt, [
    ...notices,
    ...(imageConfig
      ? []
      : [
          `The image ${entry.image.reference} is gone, so its environment, user and command could not be kept.`,
        ]),
  ])
}

async function ask(
  { client }: FreezeParts,
  subject: FreezeSubject,
  options: FreezeOptions,
  signal: AbortSignal,
): Promise<void> {
  const { slug } = subject
  const version = showVersion(await client.version(signal))
  if (!(await options.confirm(stopQuestion(slug, version)))) {
    throw bottleError('cancelled', `${slug} was not frozen: it runs on, and nothing was changed.`, { slug })
  }
  signal.throwIfAborted()
}

/** Stops, exports, and starts again whatever came of it. @returns what a person should know */
async function exportStopped(
  parts: FreezeParts,
  subject: FreezeSubject,
  partsDir: string,
  rootfs: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { runtime, slug } = subject
  // Its agent may have ended while the question was open: then there is nothing to start again.
  const now = await requireContainer(parts.client, subject, signal)
  if (now.state === 'stopped') {
    await exportFiles(parts.client, now.id, rootfs, signal)
    return []
  }
  await noteStop(partsDir)
  faultPoint('freeze:before-stop')
  let failed: { readonly thrown: unknown } | null = null
  try {
    await parts.stop(runtime, signal)
    faultPoint('freeze:after-stop')
    await exportFiles(parts.client, runtime.id, rootfs, signal)
    faultPoint('freeze:before-start')
  } catch (thrown) {
    failed = { thrown }
  }
  const problem = await startAgain(parts, runtime, partsDir)
  if (failed && problem) {
    const { code, message, detail } = toFailure(failed.thrown, slug)
    throw bottleError(code, `${message} ${problem}`, { slug, detail, cause: failed.thrown })
  }
  if (failed) throw failed.thrown
  return problem ? [problem] : []
}

/** Starts a container that a capture stopped; a sentence when that did not work. Uses its own time, not the caller's. */
export async function startAgain(
  parts: Pick<FreezeParts, 'startAgain' | 'client'>,
  runtime: RuntimeRef,
  partsDir: string,
): Promise<string | null> {
  const late = AbortSignal.timeout(LATE_MS)
  try {
    const found = await inspectContainer(parts.client, runtime.id, late)
    if (found && found.state !== 'running') await parts.startAgain(runtime, late)
    await clearStop(partsDir)
    return found ? null : `${runtime.name} was removed when it stopped, so it could not be started again.`
  } catch (thrown) {
    return `${runtime.name} could not be started again: ${toFailure(thrown).message} Its files are safe; icebox resume ${runtime.slug} starts it.`
  }
}

/** The engine's own tar of the files, in a new file. @throws BottleError */
async function exportFiles(
  client: ContainerClient,
  id: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  await client.run(['export', '--output', file, id], signal)
  const made = await stat(file).catch(() => null)
  if (!made || made.size === 0)
    throw bottleError('engine-failed', `container says that it exported ${id}, but there is no file.`)
}

/** Refuses before anything is stopped or written. The best guess at the size is what is known already. */
async function requireRoom(
  { client, home }: FreezeParts,
  subject: FreezeSubject,
  entry: ContainerEntry,
  signal: AbortSignal,
): Promise<void> {
  const image = await inspectImage(client, entry.image.reference, signal).catch((thrown: unknown) => {
    if (isBottleError(thrown) && thrown.code === 'engine-failed') return null
    throw thrown
  })
  const variant = image && variantFor(image, entry.platform)
  const bytes = Math.max(subject.parent?.bytes ?? 0, variant?.bytes ?? 0)
  await requireSpace(home, 'A freeze', SPACE_FACTOR * bytes, 0)
}

/** Pure: the record as the image's label holds it, all but what only the engine decides. */
function labelRecord(
  record: Snapshot,
  layer: WrittenLayer,
  leftOut: readonly string[],
  facts: Readonly<Record<string, unknown>>,
): Snapshot {
  return {
    ...record,
    fidelity: 'files',
    leftOut: [...leftOut],
    bytes: layer.bytes,
    // One flat layer, which no other snapshot shares.
    ownBytes: layer.bytes,
    facts: { ...facts, layerDigest: layer.digest, layerBytes: layer.bytes },
  }
}

function fullConfig({ config }: Rebuilt): object {
  return { ...config.run, Labels: config.labels }
}

/** Pure: what the Freezer makes its record of. */
function capturedFrom(reference: string, rebuilt: Rebuilt, notices: readonly string[]): Captured {
  const { record, image, lost } = rebuilt
  return {
    reference,
    digest: image.digest,
    fidelity: record.fidelity,
    leftOut: [...record.leftOut, ...lost.map((part) => `setting ${part}`)],
    bytes: record.bytes,
    ownBytes: record.ownBytes,
    volumes: [],
    facts: record.facts,
    notices: [
      ...notices,
      ...(lost.length > 0
        ? [`The engine could not be given all settings of the image; lost are: ${lost.join(', ')}.`]
        : []),
    ],
  }
}
