import { join } from 'node:path'
import type { Snapshot } from '../../../src-preload/contract/index.ts'
import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { ImageSource, LaunchPlan, ReportProgress } from '../backend.ts'
import { isImageName, LABEL } from '../labels.ts'
import type { ContainerClient } from './client.ts'
import { fullReference, type ImageVariant, inspectImage, type StoredImage, variantFor } from './images.ts'
import { buildTag, labelArgument } from './names.ts'

/** What a launch needs to know of an image. */
export interface ImageFacts {
  /** Normalised, so that the engine takes the one that it has. */
  readonly reference: string
  /** Of the index, `sha256:…`. */
  readonly digest: string
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly workdir: string
  readonly user: string
  readonly home: string | null
  /** Given on creation only where it is not this machine's own. */
  readonly platform: string | null
  /** Known for a snapshot that told it; null means that the start tells. */
  readonly hasShell: boolean | null
  /** Tag of an image that this run built for itself, else null. */
  readonly built: string | null
}

const texts = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return value ? [value] : []
  return Array.isArray(value) ? value.map(String) : []
}
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The engine's own platform: it runs what this machine runs. */
export const hostArchitecture = (): string => (process.arch === 'x64' ? 'amd64' : process.arch)

/** Pure: what a launch needs of a stored image. @throws BottleError for one that is for no Linux */
export function imageFacts(image: StoredImage, architecture = hostArchitecture()): ImageFacts {
  const own = variantFor(image, { os: 'linux', architecture })
  const variant = own ?? image.variants.find(({ platform }) => platform.os === 'linux')
  if (!variant) throw bottleError('image-missing', `${image.reference} holds no image for Linux.`)
  const { config } = variant
  const home = texts(config.Env).find((line) => line.startsWith('HOME='))
  return {
    reference: fullReference(image.reference),
    digest: image.digest,
    entrypoint: texts(config.Entrypoint),
    cmd: texts(config.Cmd),
    workdir: text(config.WorkingDir),
    user: text(config.User),
    home: home ? home.slice('HOME='.length) : null,
    platform: own ? null : platformText(variant),
    hasShell: null,
    built: null,
  }
}

function platformText({ platform }: ImageVariant): string {
  return [platform.os, platform.architecture, ...(platform.variant ? [platform.variant] : [])].join('/')
}

const LOOK_MS = 2000
/** What a preflight saw, for the launch that follows it at once. */
const looks = new WeakMap<
  ContainerClient,
  Map<string, { readonly image: StoredImage; readonly at: number }>
>()

/** An image by reference, as the engine has it or had it a moment ago; null when it has none. @throws BottleError */
export async function lookAtImage(
  client: ContainerClient,
  reference: string,
  signal: AbortSignal,
): Promise<StoredImage | null> {
  const full = fullReference(reference)
  const seen = looks.get(client) ?? new Map()
  looks.set(client, seen)
  const known = seen.get(full)
  // Each look serves once: what comes after a launch looks for itself.
  seen.delete(full)
  if (known && performance.now() - known.at < LOOK_MS) return known.image
  const at = performance.now()
  const image = await inspectImage(client, full, signal)
  if (image) seen.set(full, { image, at })
  return image
}

/** A snapshot's image, as long as it is what the freeze made. @throws BottleError `snapshot-missing` */
export async function snapshotImage(
  client: ContainerClient,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<ImageFacts> {
  if (snapshot.backend !== 'macos-container') {
    throw bottleError(
      'unsupported',
      `${snapshot.slug}@${snapshot.id} was frozen by ${snapshot.backend} and can't be resumed on Apple's container as it is.`,
    )
  }
  const found = await lookAtImage(client, snapshot.reference, signal)
  if (!found || (snapshot.digest && !digestsOf(found).includes(snapshot.digest))) {
    const why = found ? 'is no longer what the snapshot made' : "is not in Apple's container"
    throw bottleError(
      'snapshot-missing',
      `The image of snapshot ${snapshot.id} (${snapshot.reference}) ${why}.`,
      { slug: snapshot.slug },
    )
  }
  const { hasShell } = snapshot.facts
  return { ...imageFacts(found), hasShell: typeof hasShell === 'boolean' ? hasShell : null }
}

const digestsOf = (image: StoredImage): readonly string[] => [
  image.digest,
  ...image.variants.map((variant) => variant.digest),
]

/** Makes sure that the agent's image is in the engine: found, pulled, built, or the snapshot's. @throws BottleError */
export async function ensureImage(
  client: ContainerClient,
  plan: LaunchPlan,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<ImageFacts> {
  const source = plan.image
  if (source.kind === 'image') return ensureNamed(client, source.reference, progress, signal)
  if (source.kind === 'build') return buildImage(client, plan, source, progress, signal)
  if (source.kind === 'snapshot') return snapshotImage(client, source.snapshot, signal)
  throw noImage(plan.slug)
}

/** Pure. */
export const noImage = (slug: string) =>
  bottleError('manifest-invalid', "A bottle on Apple's container needs an image or a build.", { slug })

/** Pure. @throws BottleError `image-missing` for text that names no image */
export function requireImageName(reference: string): void {
  if (!isImageName(reference)) throw bottleError('image-missing', `"${reference}" is not an image name.`)
}

async function ensureNamed(
  client: ContainerClient,
  reference: string,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<ImageFacts> {
  requireImageName(reference)
  const found = await lookAtImage(client, reference, signal)
  if (found) return imageFacts(found)
  progress({ phase: `pulling ${reference}`, current: null, total: null })
  try {
    await client.run(['image', 'pull', '--progress', 'none', fullReference(reference)], signal)
  } catch (thrown) {
    if (!isBottleError(thrown)) throw thrown
    if (['cancelled', 'disk-full', 'engine-down', 'engine-missing', 'timeout'].includes(thrown.code))
      throw thrown
    throw bottleError('image-missing', `There is no image "${reference}" here, and it could not be pulled.`, {
      detail: thrown.detail,
      cause: thrown,
    })
  }
  const pulled = await inspectImage(client, reference, signal)
  if (pulled) return imageFacts(pulled)
  throw bottleError('image-missing', `There is no image "${reference}".`)
}

async function buildImage(
  client: ContainerClient,
  plan: LaunchPlan,
  source: Extract<ImageSource, { kind: 'build' }>,
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<ImageFacts> {
  progress({ phase: 'building', current: null, total: null })
  const tag = buildTag(plan.slug, plan.runId)
  await client.run(
    [
      'build',
      ...['--tag', tag, '--file', join(source.context, source.dockerfile), '--progress', 'plain'],
      ...(source.target ? ['--target', source.target] : []),
      ...['--label', labelArgument(LABEL.buildRoot, plan.rootId)],
      ...['--label', labelArgument(LABEL.buildSlug, plan.slug)],
      source.context,
    ],
    signal,
  )
  const found = await inspectImage(client, tag, signal)
  if (!found) throw bottleError('engine-failed', `Apple's container built no image for ${plan.slug}.`)
  return { ...imageFacts(found), built: tag }
}
