import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { Failure } from './failure.ts'

const MAGIC = 'SMOLPACK'
const FOOTER_BYTES = 64
const CHUNK = 1 << 20

/** Loaded when it is needed: a double is started hundreds of times, and hardly ever for this. */
const crc32 = (bytes: Buffer, before = 0): number =>
  process.getBuiltinModule('node:zlib').crc32(bytes, before)

/** One file inside the assets, in the order in which they lie there. */
export interface AssetEntry {
  readonly path: string
  readonly size: number
}

export interface LayerEntry extends AssetEntry {
  readonly digest: string
}

/** Keys in the order and under the names of the real one; left out when empty. Source: cli-contracts.md §2.5. */
export interface PackManifest {
  readonly mode: 'container' | 'vm'
  readonly image: string
  readonly digest: string
  readonly platform: string
  readonly entrypoint?: readonly string[]
  readonly cmd?: readonly string[]
  readonly env?: readonly string[]
  readonly secret_refs?: Readonly<Record<string, object>>
  readonly workdir?: string
  readonly user?: string
  readonly cpus: number
  readonly mem: number
  readonly image_size: number
  readonly network: boolean
  readonly gpu: boolean
  readonly cuda: boolean
  readonly host_platform: string
  readonly created: string
  readonly smolvm_version: string
  readonly assets: {
    readonly libraries: readonly AssetEntry[]
    readonly agent_rootfs: AssetEntry
    readonly layers: readonly LayerEntry[]
    /** Disks: `/workspace` where it is carried, and in a checkpoint everything that is no layer. */
    readonly storage_template?: AssetEntry
    readonly overlay_template?: AssetEntry
  }
  readonly checkpoint?: CheckpointFacts
}

/** What makes a checkpoint of a pack. The real object's keys aren't known; that there is one is. */
export interface CheckpointFacts {
  readonly id: string
  readonly machine: string
  readonly created: string
  readonly memory_mib: number
  readonly parent?: string
  readonly state: AssetEntry
}

/** What the footer says of the file before it. */
export interface PackFooter {
  readonly stubSize: number
  readonly assetsOffset: number
  readonly assetsSize: number
  readonly manifestOffset: number
  readonly manifestSize: number
  readonly checksum: number
}

export function footerBytes(footer: PackFooter): Buffer {
  const bytes = Buffer.alloc(FOOTER_BYTES)
  bytes.write(MAGIC, 0, 'latin1')
  bytes.writeUInt32LE(1, 8)
  bytes.writeBigUInt64LE(BigInt(footer.stubSize), 12)
  bytes.writeBigUInt64LE(BigInt(footer.assetsOffset), 20)
  bytes.writeBigUInt64LE(BigInt(footer.assetsSize), 28)
  bytes.writeBigUInt64LE(BigInt(footer.manifestOffset), 36)
  bytes.writeBigUInt64LE(BigInt(footer.manifestSize), 44)
  bytes.writeUInt32LE(footer.checksum, 52)
  return bytes
}

/** @throws Failure for what is no pack */
export function parseFooter(bytes: Buffer): PackFooter {
  if (bytes.length < FOOTER_BYTES || bytes.toString('latin1', 0, 8) !== MAGIC)
    throw new Failure('agent operation failed: read .smolmachine: invalid magic: not a smolvm pack')
  const version = bytes.readUInt32LE(8)
  if (![1, 2, 3].includes(version))
    throw new Failure(`agent operation failed: read .smolmachine: unsupported version: ${version}`)
  const long = (at: number) => Number(bytes.readBigUInt64LE(at))
  return {
    stubSize: long(12),
    assetsOffset: long(20),
    assetsSize: long(28),
    manifestOffset: long(36),
    manifestSize: long(44),
    checksum: bytes.readUInt32LE(52),
  }
}

/** Writes what goes before, assets, manifest and footer; `write` is where a full disk or a kill strikes. Returns the size of the assets. */
export function writePack(
  path: string,
  assets: readonly string[],
  manifest: PackManifest,
  stubSize: number,
  write: (file: number, bytes: Buffer) => void = writeAll,
  before: Buffer = Buffer.alloc(0),
): number {
  const file = openSync(path, 'w', 0o644)
  try {
    write(file, before)
    let checksum = 0
    let assetsSize = 0
    for (const asset of assets) {
      for (const chunk of chunksOf(asset)) {
        write(file, chunk)
        checksum = crc32(chunk, checksum)
        assetsSize += chunk.length
      }
    }
    const text = Buffer.from(JSON.stringify(manifest, null, 2))
    write(file, text)
    checksum = crc32(text, checksum)
    const manifestOffset = before.length + assetsSize
    const places = { assetsOffset: before.length, assetsSize, manifestOffset, manifestSize: text.length }
    write(file, footerBytes({ stubSize, ...places, checksum }))
    return assetsSize
  } finally {
    closeSync(file)
  }
}

export function writeAll(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(file, bytes, at)
    } catch (error) {
      // A pipe that is full at the moment.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

export interface OpenPack {
  readonly manifest: PackManifest
  readonly footer: PackFooter
}

/** Reads footer and manifest. @throws Failure for what is no pack */
export function readPack(path: string): OpenPack {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const footer = parseFooter(readRange(file, Math.max(0, size - FOOTER_BYTES), FOOTER_BYTES))
    const text = readRange(file, footer.manifestOffset, footer.manifestSize).toString('utf8')
    return { footer, manifest: JSON.parse(text) as PackManifest }
  } finally {
    closeSync(file)
  }
}

/** Copies the assets out, each to the path that `place` gives it, and checks the sum over all. @throws Failure */
export function extractAssets(
  path: string,
  pack: OpenPack,
  place: (entry: AssetEntry) => string,
  write: (file: number, bytes: Buffer) => void = writeAll,
): void {
  const { footer, manifest } = pack
  const file = openSync(path, 'r')
  try {
    let at = footer.assetsOffset
    let checksum = 0
    for (const entry of assetsOf(manifest)) {
      const out = openSync(place(entry), 'w', 0o600)
      try {
        for (let done = 0; done < entry.size; ) {
          const chunk = readRange(file, at + done, Math.min(CHUNK, entry.size - done))
          if (chunk.length === 0) throw truncated()
          checksum = crc32(chunk, checksum)
          write(out, chunk)
          done += chunk.length
        }
      } finally {
        closeSync(out)
      }
      at += entry.size
    }
    checksum = crc32(readRange(file, footer.manifestOffset, footer.manifestSize), checksum)
    if (checksum !== footer.checksum)
      throw new Failure('agent operation failed: extract sidecar: checksum mismatch')
  } finally {
    closeSync(file)
  }
}

/** Every asset in the order in which it lies in the file. */
export function assetsOf(manifest: PackManifest): readonly AssetEntry[] {
  const { libraries, agent_rootfs, layers, storage_template, overlay_template } = manifest.assets
  const optional = [storage_template, overlay_template, manifest.checkpoint?.state]
  return [...libraries, agent_rootfs, ...layers, ...optional.filter((entry) => entry !== undefined)]
}

function truncated(): Failure {
  return new Failure('agent operation failed: extract sidecar: failed to fill whole buffer')
}

function readRange(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  let got = 0
  while (got < length) {
    const count = readSync(file, buffer, got, length - got, position + got)
    if (count === 0) break
    got += count
  }
  return buffer.subarray(0, got)
}

function* chunksOf(path: string): Generator<Buffer> {
  const file = openSync(path, 'r')
  try {
    for (let position = 0; ; ) {
      const chunk = readRange(file, position, CHUNK)
      if (chunk.length === 0) return
      yield chunk
      position += chunk.length
    }
  } finally {
    closeSync(file)
  }
}
