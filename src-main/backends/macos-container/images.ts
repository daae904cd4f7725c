import { bottleError, isBottleError } from '../../system/bottle-error.ts'
import type { Platform } from '../portable.ts'
import type { ContainerClient } from './client.ts'

/** One platform's image below a reference, as `image inspect` tells it. */
export interface ImageVariant {
  readonly platform: Platform
  /** Of the manifest, `sha256:…`; '' where the answer has none. */
  readonly digest: string
  /** Compressed, as the engine counts it. */
  readonly bytes: number
  readonly createdAt: string | null
  readonly diffIds: readonly string[]
  /** The run config as far as the engine decodes it: Apple's leaves out ports, volumes and health checks. */
  readonly config: Readonly<Record<string, unknown>>
}

/** One image of the engine's store. */
export interface StoredImage {
  /** Normalised: `docker.io/library/alpine:3.20`. */
  readonly reference: string
  /** Of the index, `sha256:…`. */
  readonly digest: string
  /** Of real platforms only; attestations are left out. */
  readonly variants: readonly ImageVariant[]
}

type Json = Readonly<Record<string, unknown>>

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const at = (value: unknown, ...keys: readonly string[]): unknown =>
  keys.reduce((found, key) => (isJson(found) ? found[key] : undefined), value)
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Pure: the answer of `image list` or `image inspect`; entries that can't be understood are left out. */
export function decodeImages(answer: unknown): readonly StoredImage[] {
  return listOf(answer).flatMap((entry) => {
    const descriptor = textOf(at(entry, 'configuration', 'descriptor', 'digest'))
    const id = textOf(at(entry, 'id'))
    // Before 1.0 name and descriptor are at the top.
    const reference = textOf(at(entry, 'configuration', 'name')) || textOf(at(entry, 'reference'))
    const digest = descriptor || textOf(at(entry, 'descriptor', 'digest')) || (id ? `sha256:${bare(id)}` : '')
    return reference
      ? [{ reference, digest, variants: listOf(at(entry, 'variants')).flatMap(decodeVariant) }]
      : []
  })
}

const bare = (digest: string) => digest.replace(/^sha256:/, '')

function decodeVariant(value: unknown): readonly ImageVariant[] {
  const os = textOf(at(value, 'platform', 'os'))
  const architecture = textOf(at(value, 'platform', 'architecture'))
  const variant = textOf(at(value, 'platform', 'variant'))
  if (!os || !architecture || os === 'unknown') return []
  const size = at(value, 'size')
  const config = at(value, 'config', 'config')
  return [
    {
      platform: { os, architecture, ...(variant ? { variant } : {}) },
      digest: textOf(at(value, 'digest')),
      bytes: typeof size === 'number' ? size : 0,
      createdAt: textOf(at(value, 'config', 'created')) || null,
      diffIds: listOf(at(value, 'config', 'rootfs', 'diff_ids')).map(String),
      config: isJson(config) ? config : {},
    },
  ]
}

/** Pure: the name under which the engine keeps what is called `reference`; digests and tags stay. */
export function fullReference(reference: string): string {
  const [first = '', ...rest] = reference.split('/')
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  const path = hasHost ? reference : `docker.io/${rest.length > 0 ? '' : 'library/'}${reference}`
  const name = path.slice(path.lastIndexOf('/') + 1)
  return name.includes(':') || name.includes('@') ? path : `${path}:latest`
}

/** Pure: the variant of a platform; one without a variant of its own fits all. */
export function variantFor(
  image: StoredImage,
  wanted: Pick<Platform, 'os' | 'architecture'> & { readonly variant?: string | undefined },
): ImageVariant | null {
  const fitting = image.variants.filter(
    ({ platform }) => platform.os === wanted.os && platform.architecture === wanted.architecture,
  )
  const exact = fitting.find(({ platform }) => (platform.variant ?? '') === (wanted.variant ?? ''))
  return exact ?? fitting[0] ?? null
}

/** An image by reference; null when the engine has none. @throws BottleError */
export async function inspectImage(
  client: ContainerClient,
  reference: string,
  signal: AbortSignal,
): Promise<StoredImage | null> {
  const full = fullReference(reference)
  try {
    const found = decodeImages(await client.json(['image', 'inspect', full], signal))
    // A newer release may show the short name; one was asked for and one came.
    return found.find((image) => fullReference(image.reference) === full) ?? found[0] ?? null
  } catch (thrown) {
    if (isBottleError(thrown) && (thrown.code === 'image-missing' || thrown.code === 'not-found')) return null
    throw thrown
  }
}

/** All images, in one call. @throws BottleError */
export async function listImages(
  client: ContainerClient,
  signal: AbortSignal,
): Promise<readonly StoredImage[]> {
  return decodeImages(await client.json(['image', 'list', '--format', 'json'], signal))
}

/** Removes one reference; missing is already done. @throws BottleError */
export async function removeImage(
  client: ContainerClient,
  reference: string,
  signal: AbortSignal,
): Promise<void> {
  const full = fullReference(reference)
  // By force a missing one is no failure.
  await client.run(['image', 'delete', '--force', full], signal)
  if (await inspectImage(client, full, signal))
    throw bottleError('engine-failed', `container says that it deleted ${full}, but it is still there.`)
}
