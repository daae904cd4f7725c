import { type FileHandle, open, readFile } from 'node:fs/promises'
import { bottleError } from '../../../system/bottle-error.ts'
import { toImagePath } from './image-paths.ts'
import type { TreeItem } from './list-tree.ts'
import { findPieces, mapText, type Piece } from './sparse-pieces.ts'
import { padding, planOf, tarHeader } from './tar-header.ts'

const CHUNK = 1 << 20
/** Files up to this size are read ahead whole, so many at a time. */
const SMALL = 1 << 16
const AHEAD = 32
/** Below this the holes of a file are not worth a map. */
const WORTH = 1 << 20

/** True for a file that takes far less of the disk than its size. Pure. */
export function hasHoles(item: TreeItem): boolean {
  return item.kind === 'f' && item.size - item.blocks * 512 >= WORTH
}

/**
 * Entries of a layer, files with their content, holes left out; without the end of the archive. A file with several
 * names among the items is stored once. @throws BottleError `corrupt-state` when a file is not what was listed
 */
export async function* writeItems(
  base: string,
  items: readonly TreeItem[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const firstName = new Map<string, string>()
  const ahead = readAhead(base, items)
  const batch = new Batch()
  for (const item of items) {
    signal.throwIfAborted()
    const path = toImagePath(item.path)
    const first = item.kind === 'f' && item.names > 1 ? firstName.get(item.file) : undefined
    if (first !== undefined) {
      batch.add(tarHeader({ ...planOf(item, path), kind: 'h', target: first, stored: 0 }))
    } else if (item.kind !== 'f') {
      batch.add(tarHeader(planOf(item, path)))
    } else {
      if (item.names > 1) firstName.set(item.file, path)
      if (item.size <= SMALL) {
        const content = await ahead.next()
        if (content.value?.length !== item.size) throw changed(item)
        batch.add(tarHeader(planOf(item, path)), content.value, padding(item.size))
      } else {
        yield* batch.take()
        yield* largeFile(base, item, path, signal)
      }
    }
    if (batch.bytes >= CHUNK / 4) yield* batch.take()
  }
  yield* batch.take()
}

/** Small pieces gathered into larger ones: each costs a step in every stage that follows. */
class Batch {
  bytes = 0
  private parts: Uint8Array[] = []

  add(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.parts.push(part)
      this.bytes += part.length
    }
  }

  *take(): Generator<Uint8Array> {
    if (this.bytes > 0) yield Buffer.concat(this.parts)
    this.parts = []
    this.bytes = 0
  }
}

/** The content of the small files in their order, several on their way at a time; further names of a file left out. */
async function* readAhead(base: string, items: readonly TreeItem[]): AsyncGenerator<Buffer> {
  const seen = new Set<string>()
  const waiting: Promise<Buffer>[] = []
  for (const item of items) {
    if (item.kind !== 'f') continue
    if (item.names > 1) {
      if (seen.has(item.file)) continue
      seen.add(item.file)
    }
    if (item.size > SMALL) continue
    const reading = readFile(fullPath(base, item))
    // It may fail long before its turn; the failure is told then.
    reading.catch(() => undefined)
    waiting.push(reading)
    if (waiting.length < AHEAD) continue
    const next = waiting.shift()
    if (next) yield await next
  }
  for (const next of waiting) yield await next
}

async function* largeFile(
  base: string,
  item: TreeItem,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const handle = await open(fullPath(base, item), 'r')
  try {
    if (!hasHoles(item)) {
      yield tarHeader(planOf(item, path))
      yield* piecesOf(handle, [{ offset: 0, length: item.size }], item, signal)
      yield padding(item.size)
      return
    }
    const pieces = await findPieces(handle, item.size, signal)
    const map = mapText(pieces, item.size)
    const front = Buffer.concat([map, padding(map.length)])
    const stored = front.length + pieces.reduce((sum, piece) => sum + piece.length, 0)
    yield tarHeader({ ...planOf(item, path), stored, sparseSize: item.size })
    yield front
    yield* piecesOf(handle, pieces, item, signal)
    yield padding(stored)
  } finally {
    await handle.close()
  }
}

async function* piecesOf(
  handle: FileHandle,
  pieces: readonly Piece[],
  item: TreeItem,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const { offset, length } of pieces) {
    for (let done = 0; done < length; ) {
      signal.throwIfAborted()
      // A new buffer each time: the reader may keep the last one for as long as it likes.
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, length - done))
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset + done)
      if (bytesRead === 0) throw changed(item)
      yield buffer.subarray(0, bytesRead)
      done += bytesRead
    }
  }
}

function fullPath(base: string, item: TreeItem): Buffer {
  return Buffer.concat([Buffer.from(`${base}/`), Buffer.from(item.path, 'latin1')])
}

function changed(item: TreeItem) {
  const path = Buffer.from(item.path, 'latin1').toString()
  return bottleError('corrupt-state', `${path} changed while it was read, so nothing was kept.`)
}
