import { bottleError } from '../../system/bottle-error.ts'

/** The last bytes of a pack and of a checkpoint: mark, version, five numbers, a checksum, a reserve. */
export const FOOTER_BYTES = 64
const MARK = 'SMOLPACK'
const READABLE: ReadonlySet<number> = new Set([1, 2, 3])
const MANIFEST_MAX = 4 * 1024 * 1024

/** Where the parts of a pack lie in its file. Source: cli-contracts.md §2.5. */
export interface PackFooter {
  readonly version: number
  readonly assetsOffset: number
  readonly assetsBytes: number
  readonly manifestOffset: number
  readonly manifestBytes: number
  /** Over the assets and then the manifest. */
  readonly crc32: number
}

/**
 * Reads a footer and checks that it fits the file. Pure.
 * @throws BottleError `artifact-invalid` for anything that is not whole
 */
export function parseFooter(footer: Uint8Array, fileBytes: number): PackFooter {
  const bytes = Buffer.from(footer.buffer, footer.byteOffset, footer.byteLength)
  if (bytes.length !== FOOTER_BYTES || bytes.toString('latin1', 0, MARK.length) !== MARK) {
    throw damaged('it does not end as a pack of smolvm does')
  }
  const version = bytes.readUInt32LE(8)
  if (!READABLE.has(version)) throw damaged(`its form ${version} is not known`)
  const [assetsOffset, assetsBytes, manifestOffset, manifestBytes] = [20, 28, 36, 44].map((at) =>
    number(bytes.readBigUInt64LE(at)),
  )
  if (assetsOffset === undefined || assetsBytes === undefined) throw damaged('its numbers can’t be right')
  if (manifestOffset === undefined || manifestBytes === undefined) throw damaged('its numbers can’t be right')
  const end = fileBytes - FOOTER_BYTES
  if (assetsOffset + assetsBytes > end || manifestOffset + manifestBytes > end) throw damaged('it is cut off')
  if (manifestBytes === 0 || manifestBytes > MANIFEST_MAX) throw damaged('its manifest has no sensible size')
  return { version, assetsOffset, assetsBytes, manifestOffset, manifestBytes, crc32: bytes.readUInt32LE(52) }
}

/** A footer as smolvm writes it: for tests and doubles, and for nothing else. Pure. */
export function writeFooter(footer: PackFooter, stubBytes = 0): Uint8Array {
  const bytes = Buffer.alloc(FOOTER_BYTES)
  bytes.write(MARK, 0, 'latin1')
  bytes.writeUInt32LE(footer.version, 8)
  const numbers = [
    stubBytes,
    footer.assetsOffset,
    footer.assetsBytes,
    footer.manifestOffset,
    footer.manifestBytes,
  ]
  for (const [at, value] of numbers.entries()) bytes.writeBigUInt64LE(BigInt(value), 12 + at * 8)
  bytes.writeUInt32LE(footer.crc32, 52)
  return bytes
}

function number(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value)
}

export const damaged = (why: string) =>
  bottleError('artifact-invalid', `The file is no whole pack of smolvm: ${why}.`)
