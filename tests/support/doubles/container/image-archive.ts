import {
  closeSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { decompress } from '../lib/decompress.ts'
import { newId } from '../lib/digest.ts'
import { mustRun } from '../lib/guest.ts'
import { readTarEntries, type TarEntry } from '../lib/tar-entries.ts'
import type { Engine } from './engine.ts'
import { ContainerError } from './errors.ts'
import {
  blobPath,
  type Descriptor,
  digestOf,
  type ImageConfig,
  INDEX_TYPE,
  type Index,
  isIndex,
  MANIFEST_TYPE,
  type Manifest,
  type Platform,
  pickVariant,
  putJson,
  tagImage,
} from './image-store.ts'

const NAMES = [
  'com.apple.containerization.image.name',
  'io.containerd.image.name',
  'org.opencontainers.image.ref.name',
]

/** Writes an OCI layout of images into a tar file. */
export function saveImages(
  engine: Engine,
  images: readonly {
    readonly reference: string
    readonly descriptor: Descriptor
    readonly creationDate: number
  }[],
  platform: Platform | null,
  output: string,
): void {
  const dir = engine.path('making', newId())
  const blobs = join(dir, 'blobs/sha256')
  mkdirSync(blobs, { recursive: true })
  try {
    const put = (digest: string) => {
      const target = join(blobs, digest.slice(7))
      if (!existsSync(target)) linkSync(blobPath(engine, digest), target)
    }
    const manifests = images.map((image) => {
      const whole = JSON.parse(readFileSync(blobPath(engine, image.descriptor.digest), 'utf8')) as Index
      const only = platform ? [pickVariant(engine, image, platform).descriptor] : whole.manifests
      for (const descriptor of only) {
        const manifest = JSON.parse(readFileSync(blobPath(engine, descriptor.digest), 'utf8')) as Manifest
        for (const { digest } of [descriptor, manifest.config, ...manifest.layers]) put(digest)
      }
      const annotations = Object.fromEntries(NAMES.map((name) => [name, image.reference]))
      if (only.length === whole.manifests.length) {
        put(image.descriptor.digest)
        return { ...image.descriptor, annotations }
      }
      const data = Buffer.from(JSON.stringify({ ...whole, manifests: only }))
      writeFileSync(join(blobs, digestOf(data).slice(7)), data)
      return { mediaType: INDEX_TYPE, digest: digestOf(data), size: data.length, annotations }
    })
    writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    writeFileSync(
      join(dir, 'index.json'),
      JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }),
    )
    const temp = engine.path('making', `${newId()}.tar`)
    mustRun('tar', ['-c', '-C', dir, '--sort=name', '--owner=0', '--group=0', '--mode=u+rw', '-f', temp, '.'])
    for (let room = statSync(temp).size; room > 0; ) room -= engine.strikes.beforeBytes(room)
    rmSync(output, { force: true })
    moveFile(temp, output)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Moves a file, also to another volume. */
export function moveFile(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    copyFileSync(from, to)
    rmSync(from, { force: true })
  }
}

/**
 * Takes the images of an OCI layout in. Every digest and size is checked.
 * @returns the references of the images
 */
export function loadImages(engine: Engine, archive: string, force: boolean): readonly string[] {
  const entries = entriesOf(archive)
  const members = new Map<string, TarEntry>()
  for (const entry of entries) {
    const name = entry.name.replace(/^(\.?\/)+/, '').replace(/\/$/, '')
    if (name.split('/').includes('..') || entry.type === '1' || entry.type === '2') {
      if (!force)
        throw new ContainerError(
          'invalidArgument',
          `archive contains invalid members: ${entry.name}; use --force to load it nevertheless`,
        )
      continue
    }
    members.set(name, entry)
  }
  const content = (name: string) => {
    const entry = members.get(name)
    return entry?.type === '0' ? contentOf(archive, entry) : null
  }
  const layout = content('oci-layout')
  const text = content('index.json')
  if (!layout || !text)
    throw new ContainerError('notFound', `failed to load image archive: index.json not found in OCI layout`)
  if ((JSON.parse(layout.toString()) as { imageLayoutVersion?: unknown }).imageLayoutVersion !== '1.0.0')
    throw new ContainerError('unsupported', 'unsupported OCI layout version')
  const index = JSON.parse(text.toString()) as Index
  if (index.schemaVersion !== 2) throw new ContainerError('unsupported', 'unsupported index schema version')
  const take = (descriptor: Descriptor): Buffer => {
    const data = content(`blobs/sha256/${String(descriptor.digest).replace(/^sha256:/, '')}`)
    if (!data) throw new ContainerError('notFound', `content with digest ${descriptor.digest} not found`)
    if (digestOf(data) !== descriptor.digest)
      throw new ContainerError(
        'internalError',
        `digest mismatch: expected ${descriptor.digest}, got ${digestOf(data)}`,
      )
    if (data.length !== descriptor.size)
      throw new ContainerError(
        'internalError',
        `size mismatch for ${descriptor.digest}: expected ${descriptor.size}, got ${data.length}`,
      )
    putRaw(engine, data, descriptor.digest)
    return data
  }
  const takeManifest = (descriptor: Descriptor): Descriptor => {
    const manifest = JSON.parse(take(descriptor).toString()) as Manifest
    const config = JSON.parse(take(manifest.config).toString()) as ImageConfig
    if (!config.architecture || !config.os)
      throw new ContainerError('invalidArgument', 'image config has no platform')
    if (config.rootfs?.diff_ids?.length !== manifest.layers.length)
      throw new ContainerError('invalidArgument', 'image config and manifest differ in their layers')
    for (const [at, layer] of manifest.layers.entries()) {
      const data = take(layer)
      if (digestOf(decompress(data)) !== config.rootfs.diff_ids[at])
        throw new ContainerError(
          'invalidArgument',
          `layer ${layer.digest} is not what the image config names`,
        )
    }
    const { architecture, os, variant } = config
    const { mediaType, digest, size } = engine.strikes.has('hollow')
      ? withoutConfig(engine, manifest, config)
      : descriptor
    return { mediaType, digest, size, platform: { architecture, os, ...(variant ? { variant } : {}) } }
  }
  const loaded = index.manifests.flatMap((entry) => {
    const named = NAMES.map((name) => entry.annotations?.[name]).find((name) => name !== undefined)
    if (named === undefined) return []
    if (isIndex(entry)) {
      for (const descriptor of (JSON.parse(take(entry).toString()) as Index).manifests)
        takeManifest(descriptor)
      return [{ reference: named, descriptor: entry }]
    }
    const whole: Index = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [takeManifest(entry)] }
    return [{ reference: named, descriptor: putJson(engine, whole, INDEX_TYPE) }]
  })
  if (loaded.length === 0)
    throw new ContainerError('notFound', 'failed to load image archive: no image with a name found')
  // A name that isn't a full one is looked up by nobody: it is kept as it is written.
  for (const { reference, descriptor } of loaded) tagImage(engine, reference, descriptor)
  return loaded.map(({ reference }) => reference)
}

/** What a load that lost how the image is run would leave. */
function withoutConfig(engine: Engine, manifest: Manifest, config: ImageConfig): Descriptor {
  const emptied = putJson(engine, { ...config, config: {} }, manifest.config.mediaType)
  return putJson(engine, { ...manifest, config: emptied }, MANIFEST_TYPE)
}

function entriesOf(archive: string): readonly TarEntry[] {
  try {
    return readTarEntries(archive)
  } catch (error) {
    throw new ContainerError(
      'invalidArgument',
      `failed to load image archive: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

function contentOf(archive: string, entry: TarEntry): Buffer {
  const data = Buffer.alloc(entry.size)
  const file = openSync(archive, 'r')
  try {
    for (let at = 0; at < data.length; ) {
      const count = readSync(file, data, at, data.length - at, entry.offset + at)
      if (count === 0) throw new ContainerError('invalidArgument', 'truncated tar archive')
      at += count
    }
    return data
  } finally {
    closeSync(file)
  }
}

function putRaw(engine: Engine, data: Buffer, digest: string): void {
  const path = blobPath(engine, digest)
  if (existsSync(path)) return
  for (let room = data.length; room > 0; ) room -= engine.strikes.beforeBytes(room)
  const temp = engine.path('making', newId())
  writeFileSync(temp, data)
  renameSync(temp, path)
}
