import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { bottleError } from '../../system/bottle-error.ts'
import { createTarDecoder } from '../../workers/tar/decoder.ts'
import { sha256 } from '../images/digest.ts'
import { inflate } from '../images/inflate.ts'
import type { Platform } from '../portable.ts'
import { blobPath } from './oci-layout.ts'

const BLOCK = 512
/** JSON larger than this is none that an engine writes. */
const MAX_JSON = 4 << 20
/** Indexes below indexes; real ones have two. */
const MAX_DEPTH = 4

interface Place {
  readonly offset: number
  readonly bytes: number
}

/** A layer of a saved image, readable as often as wanted. */
export interface SavedLayer {
  readonly diffId: string
  /** Uncompressed; null where only the end tells. */
  readonly bytes: number | null
  open(signal: AbortSignal): AsyncIterable<Uint8Array>
}

/** One platform's image in an archive of `container image save`. */
export interface SavedImage {
  readonly manifestDigest: string
  /** The whole image config, every key that its maker wrote. */
  readonly config: Readonly<Record<string, unknown>>
  readonly layers: readonly SavedLayer[]
}

interface Descriptor {
  readonly mediaType?: string
  readonly digest?: string
  readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string }
}

/** Reads what an archive holds for a platform; its layers are read from the file when they are wanted. @throws BottleError */
export async function readSavedImage(file: string, platform: Platform): Promise<SavedImage> {
  const handle = await open(file)
  try {
    const places = await indexTar(handle)
    const json = async (path: string, digest?: string): Promise<Readonly<Record<string, unknown>>> => {
      const place = places.get(path)
      if (!place || place.bytes > MAX_JSON) throw broken(`no ${path}`)
      const text = Buffer.alloc(place.bytes)
      await handle.read(text, 0, place.bytes, place.offset)
      if (digest && sha256(text) !== digest) throw broken(`${path} has another digest`)
      return parsed(text.toString('utf8'), path)
    }
    const blob = (digest: string) => json(blobPath(digest), digest)
    const manifestDigest = await findManifest(await json('index.json'), platform, blob)
    if (!manifestDigest) throw broken(`nothing for ${platform.os}/${platform.architecture}`)
    const manifest = await blob(manifestDigest)
    const config = await blob((manifest.config as Descriptor | undefined)?.digest ?? '')
    const diffIds = (config.rootfs as { readonly diff_ids?: unknown } | undefined)?.diff_ids
    const layers = Array.isArray(manifest.layers) ? (manifest.layers as readonly Descriptor[]) : []
    if (!Array.isArray(diffIds) || diffIds.length !== layers.length) throw broken('layers without names')
    return {
      manifestDigest,
      config,
      layers: layers.map((layer, at) => {
        const place = places.get(blobPath(layer.digest ?? ''))
        if (!place) throw broken(`no layer ${layer.digest}`)
        return savedLayer(file, String(diffIds[at]), place, codecOf(layer.mediaType ?? ''))
      }),
    }
  } finally {
    await handle.close()
  }
}

type Codec = 'none' | 'gzip' | 'zstd'

const codecOf = (mediaType: string): Codec =>
  mediaType.endsWith('gzip') ? 'gzip' : mediaType.endsWith('zstd') ? 'zstd' : 'none'

function savedLayer(file: string, diffId: string, { offset, bytes }: Place, codec: Codec): SavedLayer {
  return {
    diffId,
    bytes: codec === 'none' ? bytes : null,
    open: (signal) => {
      if (bytes === 0) return none()
      const range = { start: offset, end: offset + bytes - 1, highWaterMark: 1 << 20, signal }
      const content = createReadStream(file, range) as AsyncIterable<Uint8Array>
      return codec === 'none' ? content : inflate(content, codec)
    },
  }
}

async function* none(): AsyncGenerator<Uint8Array> {}

/** The manifest of the platform, in the archive's index or in one below it. */
async function findManifest(
  index: Readonly<Record<string, unknown>>,
  platform: Platform,
  blob: (digest: string) => Promise<Readonly<Record<string, unknown>>>,
  depth = 0,
): Promise<string | null> {
  const entries = Array.isArray(index.manifests) ? (index.manifests as readonly Descriptor[]) : []
  for (const entry of entries) {
    if (!entry.digest || !fits(entry, platform)) continue
    const found = await blob(entry.digest)
    if (!Array.isArray(found.manifests)) return entry.digest
    const below = depth < MAX_DEPTH ? await findManifest(found, platform, blob, depth + 1) : null
    if (below) return below
  }
  return null
}

function fits({ platform: own }: Descriptor, wanted: Platform): boolean {
  if (!own) return true
  const isSameVariant = !own.variant || !wanted.variant || own.variant === wanted.variant
  return own.os === wanted.os && own.architecture === wanted.architecture && isSameVariant
}

/** Where each file of a tar lies; contents are passed over without being read. */
async function indexTar(handle: FileHandle): Promise<ReadonlyMap<string, Place>> {
  const places = new Map<string, Place>()
  const block = Buffer.alloc(BLOCK)
  let decoder = createTarDecoder({ endOptional: true })
  for (let position = 0; ; ) {
    const { bytesRead } = await handle.read(block, 0, BLOCK, position)
    position += BLOCK
    if (bytesRead < BLOCK || block.every((byte) => byte === 0)) return places
    decoder.feed(block)
    const event = decoder.next()
    if (event?.kind !== 'entry') continue
    const { path, storedSize } = event.entry
    places.set(path.replace(/^\.\//, ''), { offset: position, bytes: storedSize })
    position += Math.ceil(storedSize / BLOCK) * BLOCK
    decoder = createTarDecoder({ endOptional: true })
  }
}

function parsed(text: string, path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Told below.
  }
  throw broken(`${path} is no JSON`)
}

const broken = (detail: string) =>
  bottleError('engine-failed', "Apple's container saved an image that is not complete.", { detail })
