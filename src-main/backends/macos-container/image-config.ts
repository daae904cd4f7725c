import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readJsonObject, writeDurable } from '../../state/durable-file.ts'
import { isBottleError } from '../../system/bottle-error.ts'
import type { Platform } from '../portable.ts'
import type { ContainerClient } from './client.ts'
import { fullReference, inspectImage, variantFor } from './images.ts'
import { readSavedImage } from './saved-image.ts'

/** An image that a container came from, or that a snapshot is. */
export interface ImageName {
  readonly reference: string
  /** Of the index; '' when it is not known. */
  readonly digest: string
  readonly platform: Platform
}

/** What a freeze has to know of the image that its container came from. */
export interface KnownImage {
  /** The whole run config. */
  readonly config: Readonly<Record<string, unknown>>
  /** As the engine counts them; 0 when that is not known. */
  readonly bytes: number
}

/**
 * The image's whole run config, or null when the image is gone. What `image inspect` tells lacks ports and more, so the
 * config is taken out of the image itself, once: afterwards it is read from a file. `scratch` is a folder for that.
 * @throws BottleError
 */
export async function readImageConfig(
  client: ContainerClient,
  home: string,
  image: ImageName,
  scratch: string,
  signal: AbortSignal,
): Promise<KnownImage | null> {
  const known = await readKnown(home, image)
  if (known) return known
  const found = await inspectImage(client, image.reference, signal)
  const variant = found && variantFor(found, image.platform)
  // The name may have been given to another image since.
  if (!found || !variant || (image.digest && found.digest !== image.digest)) return null
  const file = join(scratch, 'image.tar')
  await mkdir(scratch, { recursive: true, mode: 0o700 })
  try {
    await saveImage(client, { ...image, platform: variant.platform }, file, signal)
    const { config } = await readSavedImage(file, variant.platform)
    const run = (config.config ?? {}) as Readonly<Record<string, unknown>>
    const read = { config: run, bytes: variant.bytes }
    await rememberConfig(home, { ...image, digest: found.digest }, read)
    return read
  } catch (thrown) {
    if (isBottleError(thrown) && thrown.code === 'image-missing') return null
    throw thrown
  } finally {
    await rm(file, { force: true })
  }
}

/** Writes one platform of an image to a file. @throws BottleError */
export async function saveImage(
  client: ContainerClient,
  { reference, platform }: ImageName,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const args = ['--platform', platformText(platform), '--output', file, fullReference(reference)]
  await client.run(['image', 'save', ...args], signal, { tempDir: dirname(file) })
}

/** Pure: as the engine's options take it. */
export const platformText = ({ os, architecture, variant }: Platform): string =>
  [os, architecture, ...(variant ? [variant] : [])].join('/')

/** Keeps an image's config by digest, so that the image need not be read for it. */
export async function rememberConfig(
  home: string,
  image: Pick<ImageName, 'digest' | 'platform'>,
  known: { readonly config: object; readonly bytes: number },
): Promise<void> {
  const file = fileOf(home, image)
  if (!file) return
  await mkdir(join(home, FOLDER), { recursive: true, mode: 0o700 })
  await writeDurable(file, `${JSON.stringify(known)}\n`)
}

/** Takes away what was kept of an image that is gone for good. */
export async function forgetConfig(
  home: string,
  image: Pick<ImageName, 'digest' | 'platform'>,
): Promise<void> {
  const file = fileOf(home, image)
  if (file) await rm(file, { force: true })
}

const FOLDER = join('icebox', 'macos-container-configs')

function fileOf(home: string, { digest, platform }: Pick<ImageName, 'digest' | 'platform'>): string | null {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) return null
  const name = `${digest.slice('sha256:'.length)}-${platform.os}-${platform.architecture}`
  return /^[\w-]+$/.test(name) ? join(home, FOLDER, `${name}.json`) : null
}

async function readKnown(
  home: string,
  image: Pick<ImageName, 'digest' | 'platform'>,
): Promise<KnownImage | null> {
  const file = fileOf(home, image)
  const read = file ? await readJsonObject(file) : null
  if (read?.kind !== 'ok') return null
  const { config, bytes } = read.value as { readonly config?: unknown; readonly bytes?: unknown }
  if (typeof config !== 'object' || config === null) return null
  return { config: config as KnownImage['config'], bytes: typeof bytes === 'number' ? bytes : 0 }
}
