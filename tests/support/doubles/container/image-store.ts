import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { newId, sha256 } from '../lib/digest.ts'
import { MACHINE_ARCHITECTURE } from '../lib/image-archive.ts'
import { unpackLayers } from '../lib/root-file-system.ts'
import { readJson, writeJson } from '../lib/state.ts'
import type { Engine } from './engine.ts'
import { ContainerError } from './errors.ts'
import { normaliseReference } from './references.ts'

export interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: Platform
}

export interface Platform {
  readonly architecture: string
  readonly os: string
  readonly variant?: string
}

export interface ImageConfig extends Platform {
  readonly created?: string
  readonly config?: {
    readonly Env?: readonly string[]
    readonly Entrypoint?: readonly string[] | null
    readonly Cmd?: readonly string[] | null
    readonly User?: string
    readonly WorkingDir?: string
    readonly Labels?: Readonly<Record<string, string>> | null
    readonly StopSignal?: string
    readonly ExposedPorts?: Readonly<Record<string, object>> | null
  }
  readonly rootfs: { readonly type: string; readonly diff_ids: readonly string[] }
  readonly history?: readonly unknown[]
}

export interface Manifest {
  readonly schemaVersion: number
  readonly mediaType?: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

export interface Index {
  readonly schemaVersion: number
  readonly mediaType?: string
  readonly manifests: readonly Descriptor[]
}

interface StoredImage {
  readonly descriptor: Descriptor
  readonly creationDate: number
}

/** An image with one of its platforms. */
export interface Variant {
  readonly descriptor: Descriptor
  readonly platform: Platform
  readonly manifest: Manifest
  readonly config: ImageConfig
}

export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json'
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
export const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json'
export const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar'
const INDEX_TYPES = [INDEX_TYPE, 'application/vnd.docker.distribution.manifest.list.v2+json']

export const isIndex = (descriptor: Descriptor): boolean => INDEX_TYPES.includes(descriptor.mediaType)

export const digestOf = (data: Uint8Array): string => `sha256:${sha256(data)}`

export function blobPath(engine: Engine, digest: string): string {
  return engine.path('images/blobs', digest.replace(/^sha256:/, ''))
}

/** Keeps content under its digest. */
export function putBlob(engine: Engine, data: Uint8Array, mediaType: string): Descriptor {
  const digest = digestOf(data)
  const path = blobPath(engine, digest)
  if (!existsSync(path)) {
    for (let room = data.length; room > 0; ) room -= engine.strikes.beforeBytes(room)
    const temp = engine.path('making', newId())
    writeFileSync(temp, data)
    renameSync(temp, path)
  }
  return { mediaType, digest, size: data.length }
}

export const putJson = (engine: Engine, value: unknown, mediaType: string): Descriptor =>
  putBlob(engine, Buffer.from(JSON.stringify(value)), mediaType)

export function readBlob<T>(engine: Engine, digest: string): T {
  let text: string
  try {
    text = readFileSync(blobPath(engine, digest), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new ContainerError('notFound', `content with digest ${digest} not found`)
  }
  return JSON.parse(text) as T
}

/** Does what nobody may sweep content away from under: content without a reference is in use while this runs. */
export function withContent<T>(engine: Engine, work: () => T): T {
  return engine.locked('content', work)
}

/** Reference → image, as the engine keeps them. */
export function allImages(engine: Engine): Readonly<Record<string, StoredImage>> {
  return readJson<Record<string, StoredImage>>(engine.path('images/references.json'), {})
}

/** Changes the table of references. */
export function changeImages(engine: Engine, change: (images: Record<string, StoredImage>) => void): void {
  engine.locked('images', () => {
    const images = { ...allImages(engine) }
    change(images)
    writeJson(engine.path('images/references.json'), images)
  })
}

export function tagImage(engine: Engine, reference: string, descriptor: Descriptor): void {
  const { mediaType, digest, size } = descriptor
  changeImages(engine, (images) => {
    images[reference] = { descriptor: { mediaType, digest, size }, creationDate: Date.now() }
  })
}

/** The image of a short or full reference, or null. */
export function findImage(
  engine: Engine,
  reference: string,
): (StoredImage & { readonly reference: string }) | null {
  const full = normaliseReference(reference)
  const image = allImages(engine)[full]
  return image ? { ...image, reference: full } : null
}

/** Every platform of an image. */
export function variantsOf(engine: Engine, image: StoredImage): readonly Variant[] {
  return readBlob<Index>(engine, image.descriptor.digest).manifests.map((descriptor) => {
    const manifest = readBlob<Manifest>(engine, descriptor.digest)
    const config = readBlob<ImageConfig>(engine, manifest.config.digest)
    const { architecture, os, variant } = config
    return { descriptor, manifest, config, platform: { architecture, os, ...(variant ? { variant } : {}) } }
  })
}

export const platformText = (platform: Platform): string =>
  [platform.os, platform.architecture, ...(platform.variant ? [platform.variant] : [])].join('/')

/** Reads `os/architecture[/variant]`. @throws ContainerError */
export function parsePlatform(text: string): Platform {
  const [os = '', architecture, variant] = text.split('/')
  if (!architecture) throw new ContainerError('invalidArgument', `invalid platform ${text}`)
  const known: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' }
  return { os, architecture: known[architecture] ?? architecture, ...(variant ? { variant } : {}) }
}

export const MACHINE_PLATFORM: Platform = { os: 'linux', architecture: MACHINE_ARCHITECTURE }

/** The variant for a platform. @throws ContainerError when the image has none */
export function pickVariant(
  engine: Engine,
  image: StoredImage & { readonly reference: string },
  platform: Platform,
): Variant {
  const variants = variantsOf(engine, image)
  const fits = (one: Platform) =>
    one.os === platform.os &&
    one.architecture === platform.architecture &&
    (platform.variant === undefined || one.variant === undefined || one.variant === platform.variant)
  const found = variants.find((variant) => fits(variant.platform))
  if (found) return found
  const there = variants.map((variant) => platformText(variant.platform)).join(', ')
  throw new ContainerError(
    'notFound',
    `image ${image.reference} has no content for platform ${platformText(platform)}; available platforms: ${there}`,
  )
}

/** The unpacked file system of a variant; made at its first use and never changed. */
export function unpackVariant(engine: Engine, variant: Variant): string {
  const path = engine.path('images/unpacked', variant.descriptor.digest.replace('sha256:', ''))
  if (existsSync(path)) return path
  const temp = engine.path('making', newId())
  try {
    unpackLayers(
      temp,
      variant.manifest.layers.map(({ digest }) => blobPath(engine, digest)),
    )
    // The file system of a guest is an ext4 one, and those are born with this folder.
    mkdirSync(join(temp, 'lost+found'), { recursive: true, mode: 0o700 })
    if (!existsSync(path)) renameSync(temp, path)
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
  return path
}

/** Bytes of everything that a variant consists of. */
export const sizeOf = (variant: Variant): number =>
  [variant.descriptor, variant.manifest.config, ...variant.manifest.layers].reduce(
    (sum, { size }) => sum + size,
    0,
  )

/** Digests that some reference still needs. */
export function usedDigests(engine: Engine): ReadonlySet<string> {
  const used = new Set<string>()
  for (const image of Object.values(allImages(engine))) {
    used.add(image.descriptor.digest)
    for (const { descriptor, manifest } of variantsOf(engine, image)) {
      for (const { digest } of [descriptor, manifest.config, ...manifest.layers]) used.add(digest)
    }
  }
  return used
}

/** Removes blobs and unpacked file systems that no reference needs; returns their digests. */
export function sweepBlobs(engine: Engine): readonly string[] {
  return withContent(engine, () => {
    const used = usedDigests(engine)
    const unused = (folder: string) =>
      readdirSync(engine.path(folder))
        .map((name) => `sha256:${name}`)
        .filter((digest) => !used.has(digest))
    const gone = unused('images/blobs')
    for (const digest of gone) rmSync(blobPath(engine, digest), { force: true })
    for (const digest of unused('images/unpacked'))
      rmSync(engine.path('images/unpacked', digest.slice(7)), { recursive: true, force: true })
    return gone
  })
}

/** Bytes that all images take. */
export const storedBytes = (engine: Engine): number =>
  readdirSync(engine.path('images/blobs')).reduce(
    (sum, name) => sum + statSync(engine.path('images/blobs', name)).size,
    0,
  )
