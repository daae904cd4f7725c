import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { bottleError } from '../../system/bottle-error.ts'
import { damaged, FOOTER_BYTES, parseFooter } from './pack-footer.ts'
import { type PackManifest, parseManifest } from './pack-manifest.ts'

const CHUNK = 1 << 20

export interface PackFacts {
  readonly manifest: PackManifest
  readonly bytes: number
}

/**
 * Reads what a pack or a checkpoint says of itself: three small reads, whatever its size.
 * @throws BottleError `artifact-invalid`
 */
export async function readPack(path: string): Promise<PackFacts> {
  return withFile(path, async (handle) => {
    const { manifest, bytes } = await readEnds(handle)
    return { manifest, bytes }
  })
}

/**
 * Reads a whole pack once, checks its checksum, and tells its digest.
 * @throws BottleError `artifact-invalid` when a byte differs from what smolvm wrote, `cancelled`
 */
export async function checkPack(
  path: string,
  signal: AbortSignal,
): Promise<PackFacts & { readonly digest: string }> {
  return withFile(path, async (handle) => {
    const { manifest, manifestText, bytes, footer } = await readEnds(handle)
    const hash = createHash('sha256')
    let sum = 0
    let at = 0
    for await (const chunk of chunksOf(handle, signal)) {
      hash.update(chunk)
      sum = crc32(within(chunk, at, footer.assetsOffset, footer.assetsBytes), sum)
      at += chunk.length
    }
    if (at !== bytes) throw damaged('it changed while it was read')
    if (crc32(manifestText, sum) !== footer.crc32) throw damaged('its checksum differs')
    return { manifest, bytes, digest: `sha256:${hash.digest('hex')}` }
  })
}

/** `sha256:…` and length of a file. */
export async function digestOfFile(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly digest: string; readonly bytes: number }> {
  return withFile(path, async (handle) => {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of chunksOf(handle, signal)) {
      hash.update(chunk)
      bytes += chunk.length
    }
    return { digest: `sha256:${hash.digest('hex')}`, bytes }
  })
}

/** The part of a chunk, which lies at `at`, that falls into a range. */
function within(chunk: Uint8Array, at: number, offset: number, bytes: number): Uint8Array {
  const from = Math.max(0, offset - at)
  const to = Math.min(chunk.length, offset + bytes - at)
  return to > from ? chunk.subarray(from, to) : chunk.subarray(0, 0)
}

async function readEnds(handle: FileHandle) {
  const { size } = await handle.stat()
  if (size < FOOTER_BYTES) throw damaged('it is too small')
  const tail = Buffer.alloc(FOOTER_BYTES)
  await handle.read(tail, 0, FOOTER_BYTES, size - FOOTER_BYTES)
  const footer = parseFooter(tail, size)
  const manifestText = Buffer.alloc(footer.manifestBytes)
  await handle.read(manifestText, 0, manifestText.length, footer.manifestOffset)
  return { footer, manifestText, manifest: parseManifest(manifestText.toString('utf8')), bytes: size }
}

async function* chunksOf(handle: FileHandle, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    if (signal.aborted) throw bottleError('cancelled')
    // A fresh one each time: whoever takes it may still hold the last.
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    throw bottleError('snapshot-missing', `The file ${path} is gone.`, { cause: error })
  })
  try {
    return await use(handle)
  } finally {
    await handle.close()
  }
}
