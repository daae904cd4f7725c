import { mkdir, rm } from 'node:fs/promises'
import { readJsonObject, writeDurable } from '../../state/durable-file.ts'
import type { StateRoot } from '../../state/root.ts'
import { COMPRESSIONS, type Compression } from '../oci.ts'
import { blobPath, isDigest, touchBlob } from './blobs.ts'
import type { StoredLayer } from './types.ts'

/** Changes whenever the same content may give other bytes: our block size and levels, and the libraries themselves. */
const PACKER = `1 zlib ${process.versions.zlib} zstd ${process.versions.zstd}`

export function noteFolder(root: StateRoot): string {
  return root.path('icebox', 'layers')
}

function noteFile(root: StateRoot, diffId: string, codec: Compression): string {
  return root.path('icebox', 'layers', `${diffId.slice('sha256:'.length)}.${codec}.json`)
}

/**
 * Remembers which content a blob holds. What another program packed never takes the place of what our own packer
 * made, as long as that is there.
 */
export async function writeNote(root: StateRoot, layout: string, layer: StoredLayer): Promise<void> {
  if (layer.isCanonical !== true && layer.codec !== 'none') {
    const known = await readNote(root, layout, layer.diffId, layer.codec)
    if (known?.isCanonical) return
  }
  // The path is made of it, so it has to be one.
  blobPath(layout, layer.diffId)
  await mkdir(noteFolder(root), { recursive: true, mode: 0o700 })
  const { digest, size, contentBytes } = layer
  const packer = layer.isCanonical === true ? PACKER : null
  const note = { version: 1, diffId: layer.diffId, digest, size, contentBytes, packer }
  await writeDurable(noteFile(root, layer.diffId, layer.codec), `${JSON.stringify(note)}\n`)
}

/**
 * The blob that holds this content in that codec. A note that is damaged, or whose blob is gone or has another length,
 * counts as none and is removed: the layer is then made again.
 */
export async function readNote(
  root: StateRoot,
  layout: string,
  diffId: string,
  codec: Compression,
): Promise<StoredLayer | null> {
  if (!isDigest(diffId)) return null
  if (codec === 'none') return plainLayer(layout, diffId)
  const file = noteFile(root, diffId, codec)
  const read = await readJsonObject(file)
  if (read.kind === 'absent') return null
  const layer = read.kind === 'ok' ? parseNote(diffId, codec, read.value) : null
  if (layer && (await touchBlob(blobPath(layout, layer.digest))) === layer.size) return layer
  await rm(file, { force: true })
  return null
}

/** In any codec, our own default first. */
export async function readAnyNote(
  root: StateRoot,
  layout: string,
  diffId: string,
): Promise<StoredLayer | null> {
  for (const codec of COMPRESSIONS) {
    const found = await readNote(root, layout, diffId, codec)
    if (found) return found
  }
  return null
}

/** Uncompressed content is its own blob, and needs no note. */
async function plainLayer(layout: string, diffId: string): Promise<StoredLayer | null> {
  const size = await touchBlob(blobPath(layout, diffId))
  if (size === null) return null
  return { diffId, contentBytes: size, codec: 'none', digest: diffId, size, isCanonical: true }
}

function parseNote(
  diffId: string,
  codec: Compression,
  value: Readonly<Record<string, unknown>>,
): StoredLayer | null {
  const { digest, size, contentBytes, packer } = value
  if (typeof digest !== 'string' || !isDigest(digest)) return null
  // It says itself what it is about: under another's name it would put a wrong layer into an archive.
  if (value.diffId !== diffId) return null
  if (!isCount(size) || !isCount(contentBytes)) return null
  return { diffId, contentBytes, codec, digest, size, isCanonical: packer === PACKER }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
