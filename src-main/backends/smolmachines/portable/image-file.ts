import { type FileHandle, open } from 'node:fs/promises'
import { bottleError } from '../../../system/bottle-error.ts'
import { isZeroBlock, readNumber, readText } from '../../../workers/tar/fields.ts'
import { readPax } from '../../../workers/tar/pax.ts'
import { runConfig } from '../../images/run-config.ts'
import type { Platform, RunConfig } from '../../portable.ts'

const BLOCK = 512
const JSON_MAX = 4 << 20
const CHUNK = 1 << 20

/** An image archive of ours, as it lies on the disk. */
export interface ImageFile {
  readonly platform: Platform
  readonly config: RunConfig
  /** Bottom first. */
  readonly diffIds: readonly string[]
  readonly createdAt: string
  /** The layers' places in the file, in their order. */
  readonly layers: readonly { readonly offset: number; readonly bytes: number }[]
}

interface Place {
  readonly offset: number
  readonly bytes: number
}

/**
 * Reads what an archive in the form of `docker save` holds, without its layers' content.
 * @throws BottleError `corrupt-state` for anything else
 */
export async function readImageFile(path: string): Promise<ImageFile> {
  const handle = await openFile(path)
  try {
    const places = await placesIn(handle)
    const manifest = await jsonAt(handle, places.get('manifest.json'), path)
    const [entry] = Array.isArray(manifest) ? (manifest as Record<string, unknown>[]) : []
    const config = (await jsonAt(handle, places.get(String(entry?.Config)), path)) as Record<string, unknown>
    const { diff_ids: diffIds } = (config.rootfs ?? {}) as { readonly diff_ids?: unknown }
    const layers = (Array.isArray(entry?.Layers) ? entry.Layers : []).map((name) => places.get(String(name)))
    if (!Array.isArray(diffIds) || layers.includes(undefined) || layers.length !== diffIds.length)
      throw spoilt(path)
    return {
      platform: {
        os: String(config.os ?? 'linux'),
        architecture: String(config.architecture ?? ''),
        ...(typeof config.variant === 'string' ? { variant: config.variant } : {}),
      },
      config: runConfig(config.config as object | undefined),
      diffIds: diffIds.map(String),
      createdAt: String(config.created ?? ''),
      layers: layers.filter((layer) => layer !== undefined),
    }
  } finally {
    await handle.close()
  }
}

/** The bytes of one layer. */
export async function* readLayer(
  path: string,
  place: Place,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const handle = await openFile(path)
  try {
    for (let done = 0; done < place.bytes; ) {
      if (signal.aborted) throw bottleError('cancelled')
      const size = Math.min(CHUNK, place.bytes - done)
      // A fresh one each time: whoever takes it may still hold the last.
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(size), 0, size, place.offset + done)
      if (bytesRead === 0) throw spoilt(path)
      done += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

/** Looks at the headers only: what lies between them is passed by. */
async function placesIn(handle: FileHandle): Promise<ReadonlyMap<string, Place>> {
  const places = new Map<string, Place>()
  const block = Buffer.alloc(BLOCK)
  let told: { readonly path?: string; readonly size?: number } = {}
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(block, 0, BLOCK, at)
    if (bytesRead < BLOCK || isZeroBlock(block, 0)) return places
    const size = told.size ?? readNumber(block, 124, 12, 'size')
    const place = { offset: at + BLOCK, bytes: size }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
    if (String.fromCharCode(block[156] ?? 0) === 'x') {
      const body = Buffer.alloc(size)
      await handle.read(body, 0, size, place.offset)
      const records = new Map(readPax(body))
      const [path, bytes] = [records.get('path'), records.get('size')]
      told = { ...(path ? { path } : {}), ...(bytes ? { size: Number(bytes) } : {}) }
      continue
    }
    places.set(told.path ?? readText(block, 0, 100), place)
    told = {}
  }
}

async function jsonAt(handle: FileHandle, place: Place | undefined, path: string): Promise<unknown> {
  if (!place || place.bytes > JSON_MAX) throw spoilt(path)
  const text = Buffer.alloc(place.bytes)
  await handle.read(text, 0, place.bytes, place.offset)
  try {
    return JSON.parse(text.toString('utf8'))
  } catch (cause) {
    throw bottleError('corrupt-state', `The image ${path} is damaged.`, { cause })
  }
}

async function openFile(path: string): Promise<FileHandle> {
  return open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    throw bottleError('snapshot-missing', `The file ${path} is gone.`, { cause: error })
  })
}

const spoilt = (path: string) => bottleError('corrupt-state', `The image ${path} is damaged.`)
