import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import { faultPoint } from '../../system/fault.ts'
import { LABEL } from '../labels.ts'
import type { Platform } from '../portable.ts'
import type { ContainerClient } from './client.ts'
import { DOCKERFILE_BYTES, rebuildDockerfile } from './dockerfile.ts'
import { platformText } from './image-config.ts'
import { fullReference, inspectImage, removeImage, type StoredImage, variantFor } from './images.ts'
import { type WrittenLayer, writeLayoutOfContent } from './layout-file.ts'
import {
  configDifferences,
  imageConfigText,
  type SnapshotConfig,
  snapshotConfig,
  TOLD_BY_INSPECT,
} from './rebuild-config.ts'
import { type LayerCount, layerOfExport } from './rootfs-layer.ts'

export interface RebuildRequest {
  /** The engine's export, on this machine. */
  readonly rootfs: string
  /** Folders in it whose content is not the bottle's. */
  readonly foreign: readonly string[]
  /** Folder for what is needed on the way; the caller removes it. */
  readonly scratch: string
  readonly reference: string
  readonly rootId: string
  readonly platform: Platform
  /** Of the image that the container came from. */
  readonly imageConfig: object
  /** Told now and then how much of the export was read. */
  readonly onBytes: (read: number) => void
  /** The record as it goes into the image's label, once the layer is known. */
  readonly record: (layer: WrittenLayer, count: LayerCount) => Snapshot
}

export interface Rebuilt {
  readonly image: StoredImage
  readonly layer: WrittenLayer
  readonly config: SnapshotConfig
  readonly record: Snapshot
  /** Parts of the config that the engine could not be given. */
  readonly lost: readonly string[]
}

/**
 * Makes an image of exported files with the config of the image that they came from, by loading a layout written here,
 * or by a build where the engine does not take that. The image is proven before this returns. @throws BottleError
 */
export async function rebuildImage(
  client: ContainerClient,
  request: RebuildRequest,
  signal: AbortSignal,
): Promise<Rebuilt> {
  const reference = fullReference(request.reference)
  const file = join(request.scratch, 'layout.tar')
  const count: LayerCount = { entries: 0, unheld: [] }
  let record: Snapshot | null = null
  let config: SnapshotConfig | null = null
  const chunks = told(readChunks(request.rootfs, signal), request.onBytes)
  const content = layerOfExport(chunks, count, request.foreign)
  const { layer, layout } = await writeLayoutOfContent(file, content, (made) => {
    record = request.record(made, count)
    config = snapshotConfig(request.imageConfig, record, request.rootId)
    const { platform } = request
    const image = { platform, createdAt: record.createdAt, diffIds: [made.digest], madeBy: 'icebox freeze' }
    return { reference, platform, config: imageConfigText(config, image), layers: [made] }
  })
  faultPoint('freeze:after-layout')
  if (!record || !config) throw bottleError('internal', 'The layer ended without a result.')
  const made = { layer, config: config as SnapshotConfig, record: record as Snapshot }
  try {
    await client.run(['image', 'load', '--input', file], signal, { tempDir: request.scratch })
    const found = await inspectImage(client, reference, signal)
    const image = requireMade(found, reference, request.platform, made.config)
    const variant = variantFor(image, request.platform)
    // The engine tells the manifest's digest: then every byte of the config is what was written.
    if (variant?.digest !== layout.manifestDigest && variant?.diffIds[0] !== layer.digest)
      throw bottleError('engine-failed', `container loaded another image as ${reference}.`)
    return { ...made, image, lost: [] }
  } catch (thrown) {
    if (signal.aborted || !isBottleError(thrown) || !CAN_BE_BUILT.has(thrown.code)) throw thrown
    await rm(file, { force: true })
    await removeOwnImage(client, reference, request.rootId, signal)
    return { ...made, ...(await buildImage(client, request, reference, made.config, thrown, signal)) }
  }
}

/** After these the engine itself did not take the layout, which says nothing of a build. */
const CAN_BE_BUILT: ReadonlySet<string> = new Set([
  'engine-failed',
  'unsupported',
  'image-missing',
  'not-found',
])

async function buildImage(
  client: ContainerClient,
  request: RebuildRequest,
  reference: string,
  config: SnapshotConfig,
  cause: Error,
  signal: AbortSignal,
): Promise<Pick<Rebuilt, 'image' | 'lost'>> {
  const context = join(request.scratch, 'build')
  const { text, lost } = rebuildDockerfile('rootfs.tar', config)
  if (Buffer.byteLength(text) >= DOCKERFILE_BYTES) {
    throw bottleError(
      'engine-failed',
      'The engine took the snapshot neither as an image nor as a build: its settings are too long for one.',
      { detail: cause.message, cause },
    )
  }
  await mkdir(context, { mode: 0o700 })
  try {
    // The normalised files: what a run was given must not get in here either.
    const chunks = readChunks(request.rootfs, signal)
    const content = layerOfExport(chunks, { entries: 0, unheld: [] }, request.foreign)
    await pipeline(content, createWriteStream(join(context, 'rootfs.tar'), { mode: 0o600 }), { signal })
    await writeFile(join(context, 'Dockerfile'), text, { mode: 0o600 })
    const platform = ['--platform', platformText(request.platform)]
    await client.run(['build', '--tag', reference, ...platform, '--progress', 'plain', context], signal)
  } finally {
    await rm(context, { recursive: true, force: true })
  }
  const found = await inspectImage(client, reference, signal)
  return { image: requireMade(found, reference, request.platform, config, lost), lost }
}

/** @throws BottleError unless the image is there with the whole config, as far as the engine tells it */
function requireMade(
  found: StoredImage | null,
  reference: string,
  platform: Platform,
  config: SnapshotConfig,
  lost: readonly string[] = [],
): StoredImage {
  const variant = found && variantFor(found, platform)
  const given = new Set(lost.map((part) => part.split(' ')[0]))
  const isCompared = (key: string) => TOLD_BY_INSPECT.has(key) && !given.has(DOCKERFILE_NAMES[key])
  const differing = variant ? configDifferences(config, variant.config, isCompared) : []
  if (found && variant && differing.length === 0) return found
  throw bottleError(
    'engine-failed',
    variant
      ? `container made ${reference} with other settings than it was given (${differing.join(', ')}).`
      : `container says that it made ${reference}, but there is no such image.`,
  )
}

const DOCKERFILE_NAMES: Readonly<Record<string, string>> = {
  Cmd: 'CMD',
  Entrypoint: 'ENTRYPOINT',
  Env: 'ENV',
  Labels: 'LABEL',
  StopSignal: 'STOPSIGNAL',
  User: 'USER',
  WorkingDir: 'WORKDIR',
}

/**
 * Removes the image of a snapshot that did not come about, also one without any marks. The name holds the snapshot's
 * own id: only another root that imported the same snapshot has it too, and then its image says so. @throws BottleError
 */
export async function removeOwnImage(
  client: ContainerClient,
  reference: string,
  rootId: string,
  signal: AbortSignal,
): Promise<void> {
  const found = await inspectImage(client, reference, signal)
  const owners = found?.variants.map(({ config }) => labelsOf(config)[LABEL.snapshotRoot] ?? rootId)
  if (owners?.every((owner) => owner === rootId)) await removeImage(client, reference, signal)
}

/** Pure: labels of a config that an engine told. */
export function labelsOf(config: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const { Labels } = config
  return typeof Labels === 'object' && Labels !== null ? (Labels as Readonly<Record<string, string>>) : {}
}

/** Not at every chunk: whoever shows it needs a few a second. */
const TELL_BYTES = 16 << 20

async function* told(
  chunks: AsyncIterable<Uint8Array>,
  onBytes: (read: number) => void,
): AsyncGenerator<Uint8Array> {
  let read = 0
  let last = 0
  for await (const chunk of chunks) {
    read += chunk.length
    if (read - last >= TELL_BYTES) {
      last = read
      onBytes(read)
    }
    yield chunk
  }
}

const readChunks = (file: string, signal: AbortSignal) =>
  createReadStream(file, { highWaterMark: 1 << 20, signal }) as AsyncIterable<Uint8Array>
