import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import { requireSpace } from '../../system/disk-space.ts'
import { faultPoint } from '../../system/fault.ts'
import type { Captured, ReportProgress } from '../backend.ts'
import type { CaptureTarget, FreezeOptions, FreezeSubject } from '../freezer.ts'
import { isOwn, leftOutOf, requireContainer, stopQuestion } from './capture-scene.ts'
import { removeParts } from './capture-state.ts'
import { requireRelease } from './client.ts'
import { readFacts } from './container-facts.ts'
import type { ContainerEntry } from './decode.ts'
import { type Exported, exportFiles, exportStopped, type FreezeParts, WHOLE } from './export-files.ts'
import { exportByGuest } from './guest-export.ts'
import { readImageConfig, rememberConfig } from './image-config.ts'
import { variantFor } from './images.ts'
import type { WrittenLayer } from './layout-file.ts'
import { type Rebuilt, rebuildImage } from './rebuild.ts'
import { standPoint } from './stand.ts'
import { showVersion } from './versions.ts'

/** Export, layout and what the engine unpacks; the best guess at one of them is what is known already. */
const SPACE_FACTOR = 3

const MOVING =
  'The bottle ran on while its files were copied, since it was not made by Icebox: files that changed meanwhile may be half old and half new.'

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
  const isRunning = entry.state !== 'stopped'
  // Whether a container that others made is deleted when it stops, nothing tells.
  const isOurs = isOwn(entry, target.rootId)
  const way = !isRunning || gates.liveExport ? 'as-it-is' : isOurs ? 'stopped' : 'from-inside'
  if (way === 'stopped') await ask(parts, subject, options, signal)
  const image = await readImageConfig(
    client,
    home,
    { ...entry.image, platform: entry.platform },
    partsDir,
    signal,
  )
  const bytes = Math.max(subject.parent?.bytes ?? 0, image?.bytes ?? 0)
  await requireSpace(home, 'A freeze', SPACE_FACTOR * bytes, 0)
  await mkdir(partsDir, { recursive: true, mode: 0o700 })
  progress({ phase: 'exporting', current: null, total: null })
  const exported = await exportBy(way, parts, subject, entry, partsDir, signal).catch(
    async (thrown: unknown) => {
      const isRefused = isBottleError(thrown) && thrown.code === 'busy'
      if (!isRefused || way !== 'as-it-is' || !isRunning || !isOurs) throw thrown
      // A build from the sources calls itself the newest, whatever it can do.
      await ask(parts, subject, options, signal)
      return exportBy('stopped', parts, subject, entry, partsDir, signal)
    },
  )
  faultPoint('freeze:after-export')
  const point = isRunning ? null : await standPoint(home, subject.runtime, entry)
  const { size: total } = await stat(rootfsIn(partsDir))
  progress({ phase: 'building', current: 0, total })
  const facts = {
    // Only a container that we made was looked into.
    hasShell: isOurs ? readFacts(subject.runtime).hasShell : null,
    containerId: entry.id,
    ...(point ? { standPoint: point } : {}),
    ...(exported.stoppedMs === null ? {} : { stoppedMs: exported.stoppedMs }),
    baseLayers: 0,
    layers: 1,
  }
  const rebuilt = await rebuildImage(
    client,
    {
      rootfs: rootfsIn(partsDir),
      foreign: exported.foreign,
      scratch: partsDir,
      reference: target.reference,
      rootId: target.rootId,
      platform: entry.platform,
      imageConfig: image?.config ?? {},
      onBytes: (current) => progress({ phase: 'building', current, total }),
      record: (layer, count) =>
        labelRecord(
          target.record,
          layer,
          [
            ...leftOutOf(entry, count.unheld),
            ...exported.leftOut,
            ...(image ? [] : [`settings of the image ${entry.image.reference}`]),
          ],
          facts,
        ),
    },
    signal,
  )
  const platform = variantFor(rebuilt.image, entry.platform)?.platform ?? entry.platform
  if (rebuilt.lost.length === 0) {
    const known = { config: fullConfig(rebuilt), bytes: rebuilt.layer.bytes }
    await rememberConfig(home, { digest: rebuilt.image.digest, platform }, known)
  }
  await removeParts(partsDir)
  return capturedFrom(target.reference, rebuilt, [
    ...exported.notices,
    ...(image
      ? []
      : [
          `The image ${entry.image.reference} is gone, so its environment, user and command could not be kept.`,
        ]),
  ])
}

/** As it is, standing still for the purpose, or written by itself while it works. */
type Way = 'as-it-is' | 'stopped' | 'from-inside'

const rootfsIn = (partsDir: string) => join(partsDir, 'rootfs.tar')

async function exportBy(
  way: Way,
  parts: FreezeParts,
  subject: FreezeSubject,
  entry: ContainerEntry,
  partsDir: string,
  signal: AbortSignal,
): Promise<Exported & { readonly stoppedMs: number | null }> {
  const rootfs = rootfsIn(partsDir)
  if (way === 'stopped') {
    const since = performance.now()
    const exported = await exportStopped(parts, subject, partsDir, rootfs, signal)
    return { ...exported, stoppedMs: Math.round(performance.now() - since) }
  }
  if (way === 'from-inside') {
    const made = await exportByGuest(parts.client, entry, rootfs, signal)
    return { ...made, notices: [MOVING], stoppedMs: null }
  }
  await exportFiles(parts.client, entry.id, rootfs, signal)
  return { ...WHOLE, stoppedMs: null }
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
