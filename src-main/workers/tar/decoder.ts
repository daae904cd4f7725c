import { type TarEntry, tarError } from './entry.ts'
import { hasRightChecksum, isZeroBlock, readNumber, readText } from './fields.ts'
import { type Extensions, type Header, hasMapInData, readHeader } from './header.ts'
import { type PaxRecords, readPax } from './pax.ts'
import { readMapText, readOldPieces, readPaxMap, runsOf, type SparseMap } from './sparse.ts'

const BLOCK = 512
/** Names and attributes of one entry; the limit that Go's reader has too. */
const MAX_EXTENSION = 1 << 20
const MAX_MAP_TEXT = 1 << 24
/** Keys that Docker's reader ignores in a global header while others obey: what they name would differ by tool. */
const GLOBAL_REFUSED = /^(path|linkpath|size|GNU\.sparse\..*)$/

export type TarEvent =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  /** A piece of the entry's content: a view that is valid until the next `feed`. */
  | { readonly kind: 'data'; readonly bytes: Buffer }
  /** So many zeros of the entry's content, which the archive does not store. */
  | { readonly kind: 'hole'; readonly bytes: number }
  /** The entry's content is complete. */
  | { readonly kind: 'done' }

/** A tar reader without input and output: bytes are pushed in and events pulled out. */
export interface TarDecoder {
  /** Gives the next bytes; only after `next` answered null. */
  feed(chunk: Uint8Array): void
  /** @throws BottleError `artifact-invalid`, see `tarError` */
  next(): TarEvent | null
  /** Leaves out the content of the entry just told; no `done` comes for it. */
  skip(): void
  /** Says that no more bytes come. @throws BottleError when something is missing */
  finish(): void
}

export interface DecoderOptions {
  /** Accept an archive that ends without its two empty blocks, as most readers do. */
  readonly endOptional?: boolean
}

const DONE: TarEvent = { kind: 'done' }

type Phase = 'header' | 'extension' | 'old-sparse' | 'sparse-map' | 'body' | 'end'

/** A strict reader of ustar, GNU and pax archives on raw bytes. */
export function createTarDecoder(options: DecoderOptions = {}): TarDecoder {
  let chunk: Buffer = Buffer.alloc(0)
  let at = 0
  /** Position of `at` in the archive. */
  let position = 0
  const carry = Buffer.alloc(BLOCK)
  let carried = 0
  /** Where `takeBlock` found its block. */
  let block: Buffer = carry
  let blockAt = 0

  let phase: Phase = 'header'
  let zeroBlocks = 0
  let extensionType = ''
  let extensionLeft = 0
  let extension: Buffer[] = []
  let skipping = 0
  let global: PaxRecords = []
  let pending: Extensions = { longPath: null, longLink: null, local: null }
  let header: Header | null = null
  let map: SparseMap = []
  let mapText = ''
  let runs: number[] = []
  let run = 0
  let padding = 0
  let isSkipped = false

  /** Finds 512 bytes in one piece, gathering them over chunks. False when they are not all there. */
  function takeBlock(): boolean {
    const left = chunk.length - at
    if (carried === 0 && left >= BLOCK) {
      block = chunk
      blockAt = at
      at += BLOCK
      position += BLOCK
      return true
    }
    const part = Math.min(BLOCK - carried, left)
    chunk.copy(carry, carried, at, at + part)
    carried += part
    at += part
    position += part
    if (carried < BLOCK) return false
    carried = 0
    block = carry
    blockAt = 0
    return true
  }

  function takeSkipped(): boolean {
    const part = Math.min(skipping, chunk.length - at)
    at += part
    position += part
    skipping -= part
    return skipping === 0
  }

  function onHeader(): TarEvent | null {
    if (isZeroBlock(block, blockAt)) {
      zeroBlocks++
      if (zeroBlocks === 2) phase = 'end'
      return null
    }
    const offset = position - BLOCK
    if (zeroBlocks > 0) {
      throw tarError('garbage-after-end', `The tar goes on after its end, at byte ${offset}.`)
    }
    if (!hasRightChecksum(block, blockAt)) {
      throw tarError('checksum', `The tar header at byte ${offset} is damaged: its checksum is wrong.`)
    }
    const flag = String.fromCharCode(block[blockAt + 156] ?? 0)
    if ('LKxg'.includes(flag)) {
      startExtension(flag)
      return null
    }
    header = readHeader(block, blockAt, offset, global, pending)
    pending = { longPath: null, longLink: null, local: null }
    return startEntry(flag)
  }

  function startExtension(flag: string): void {
    const size = readNumber(block, blockAt + 124, 12, 'size')
    if (size < 0 || size > MAX_EXTENSION) {
      throw tarError('extended-header', `An extended tar header of ${size} bytes is too large.`)
    }
    extensionType = flag
    extensionLeft = size
    extension = []
    phase = 'extension'
    if (size === 0) onExtension()
  }

  function onExtension(): void {
    const body = Buffer.concat(extension)
    extension = []
    phase = 'header'
    skipping = pad(body.length)
    if (extensionType === 'g') {
      const records = readPax(body)
      const bad = records.find(([key]) => GLOBAL_REFUSED.test(key))
      if (bad) throw tarError('extended-header', `A global tar header sets “${bad[0]}” for all entries.`)
      global = [...global, ...records]
      return
    }
    const isTwice =
      extensionType === 'x'
        ? pending.local !== null
        : extensionType === 'L'
          ? pending.longPath !== null
          : pending.longLink !== null
    if (isTwice)
      throw tarError('extended-header', 'An entry of the tar has two extended headers of one kind.')
    if (extensionType === 'x') pending.local = readPax(body)
    else if (extensionType === 'L') pending.longPath = readText(body, 0, body.length)
    else pending.longLink = readText(body, 0, body.length)
  }

  function startEntry(flag: string): TarEvent | null {
    if (!header) return null
    const { entry, stored, records } = header
    padding = pad(stored)
    map = []
    if (flag === 'S') {
      readOldPieces(block, blockAt + 386, 4, map)
      if (block[blockAt + 482] !== 0) {
        phase = 'old-sparse'
        return null
      }
      return announce(runsOf(map, entry.size, stored))
    }
    if (!entry.isSparse) return announce(stored > 0 ? [stored] : [])
    if (hasMapInData(records)) {
      mapText = ''
      phase = 'sparse-map'
      return null
    }
    return announce(runsOf(readPaxMap(records) ?? [], entry.size, stored))
  }

  function announce(content: number[]): TarEvent | null {
    if (!header) return null
    runs = content
    run = 0
    isSkipped = false
    phase = 'body'
    return { kind: 'entry', entry: header.entry }
  }

  function onOldSparse(): TarEvent | null {
    if (!header) return null
    readOldPieces(block, blockAt, 21, map)
    if (block[blockAt + 504] !== 0) return null
    return announce(runsOf(map, header.entry.size, header.stored))
  }

  function onMapBlock(): TarEvent | null {
    if (!header) return null
    mapText += block.toString('latin1', blockAt, blockAt + BLOCK)
    if (mapText.length > header.stored || mapText.length > MAX_MAP_TEXT) {
      throw tarError('sparse', 'A sparse file in the tar has a map that does not end.')
    }
    const found = readMapText(mapText)
    if (!found) return null
    return announce(runsOf(found, header.entry.size, header.stored - mapText.length))
  }

  function onBody(): TarEvent | null {
    const length = runs[run]
    if (length === undefined) {
      skipping = padding
      phase = 'header'
      return isSkipped ? null : DONE
    }
    if (length < 0) {
      run++
      return isSkipped ? null : { kind: 'hole', bytes: -length }
    }
    const part = Math.min(length, chunk.length - at)
    if (part === 0) return null
    const from = at
    at += part
    position += part
    if (part === length) run++
    else runs[run] = length - part
    return isSkipped ? null : { kind: 'data', bytes: chunk.subarray(from, from + part) }
  }

  function onEnd(): void {
    for (; at < chunk.length; at++) {
      if (chunk[at] !== 0) {
        throw tarError('garbage-after-end', `The tar goes on after its end, at byte ${position}.`)
      }
      position++
    }
  }

  function step(): TarEvent | null {
    switch (phase) {
      case 'header':
        return takeSkipped() && takeBlock() ? onHeader() : null
      case 'old-sparse':
        return takeBlock() ? onOldSparse() : null
      case 'sparse-map':
        return takeBlock() ? onMapBlock() : null
      case 'body':
        return onBody()
      case 'extension': {
        const part = Math.min(extensionLeft, chunk.length - at)
        extension.push(Buffer.from(chunk.subarray(at, at + part)))
        at += part
        position += part
        extensionLeft -= part
        if (extensionLeft === 0) onExtension()
        return null
      }
      case 'end':
        onEnd()
        return null
    }
  }

  return {
    feed(bytes) {
      chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      at = 0
    },
    next() {
      for (;;) {
        const event = step()
        if (event) return event
        // A body without data needs no byte to come to its end.
        const isFree = phase === 'body' && (runs[run] === undefined || (runs[run] ?? 0) < 0)
        if (at >= chunk.length && !isFree) return null
      }
    },
    skip() {
      isSkipped = true
    },
    finish() {
      const isBetween = phase === 'header' && skipping === 0 && carried === 0
      const isClean =
        isBetween && pending.local === null && pending.longPath === null && pending.longLink === null
      if (phase === 'end' || (isClean && options.endOptional === true)) return
      throw tarError('truncated', `The tar ends too early, after ${position} bytes.`)
    },
  }
}

function pad(bytes: number): number {
  return (BLOCK - (bytes % BLOCK)) % BLOCK
}
