import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { bottleError } from '../../system/bottle-error.ts'
import { TAR_END, tarPadding, writeTarHeader } from '../../workers/tar/writer.ts'
import type { Platform, RunConfig } from '../portable.ts'

/** The largest that a tar's own header can tell; larger ones need one more header before it. */
const HEADER_MAX = 0o77777777777
const LAYER = '0/layer.tar'

export interface ImageFacts {
  readonly platform: Platform
  readonly config: RunConfig
  /** ISO 8601. */
  readonly createdAt: string
  /** The name that the archive gives the image. */
  readonly reference: string
}

export interface WrittenImage {
  readonly diffId: string
  /** Of the layer's tar. */
  readonly layerBytes: number
  /** Of the file. */
  readonly bytes: number
  readonly digest: string
}

/**
 * Writes an image of one layer, in the form of `docker save`, while the layer still comes in: its length is known only
 * at its end, so its header is written last. The file is on the disk when this returns.
 * @throws BottleError, and what the layer's stream throws; the file is then not whole
 */
export async function writeImage(
  path: string,
  layer: AsyncIterable<Uint8Array>,
  facts: ImageFacts,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<WrittenImage> {
  const handle = await open(path, 'wx+', 0o600)
  try {
    const start = headOf(0).length
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of layer) {
      if (signal.aborted) throw bottleError('cancelled')
      hash.update(chunk)
      await writeAt(handle, chunk, start + bytes)
      bytes += chunk.length
      onBytes(bytes)
    }
    const diffId = `sha256:${hash.digest('hex')}`
    const end = Buffer.concat([tarPadding(bytes), ...ending(diffId, facts), TAR_END])
    await writeAt(handle, end, start + bytes)
    await writeAt(handle, headOf(bytes), 0)
    await handle.sync()
    return { diffId, layerBytes: bytes, ...(await readBack(handle, signal)) }
  } finally {
    await handle.close()
  }
}

/** Always of one length: a layer's `VERSION`, which the form knows, fills the place of the header that isn't needed. */
function headOf(bytes: number): Uint8Array {
  const header = writeTarHeader({ path: LAYER, type: 'file', size: bytes })
  if (bytes > HEADER_MAX) return header
  const version = Buffer.from('1.0')
  return Buffer.concat([
    writeTarHeader({ path: '0/VERSION', type: 'file', size: version.length }),
    version,
    tarPadding(version.length),
    header,
  ])
}

function ending(
  diffId: string,
  { platform, config, createdAt, reference }: ImageFacts,
): readonly Uint8Array[] {
  const text = JSON.stringify({
    architecture: platform.architecture,
    ...(platform.variant ? { variant: platform.variant } : {}),
    os: platform.os,
    created: createdAt,
    config,
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created: createdAt, created_by: 'icebox freeze' }],
  })
  const name = `${createHash('sha256').update(text).digest('hex')}.json`
  const manifest = JSON.stringify([{ Config: name, RepoTags: [reference], Layers: [LAYER] }])
  return [...whole(name, text), ...whole('manifest.json', manifest)]
}

function whole(path: string, text: string): readonly Uint8Array[] {
  const bytes = Buffer.from(text)
  return [writeTarHeader({ path, type: 'file', size: bytes.length }), bytes, tarPadding(bytes.length)]
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** Its digest as it lies there; the header was written last, so it can't be had on the way. */
async function readBack(handle: FileHandle, signal: AbortSignal) {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(1 << 20)
  let bytes = 0
  for (;;) {
    if (signal.aborted) throw bottleError('cancelled')
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, bytes)
    if (bytesRead === 0) return { digest: `sha256:${hash.digest('hex')}`, bytes }
    hash.update(chunk.subarray(0, bytesRead))
    bytes += bytesRead
  }
}
