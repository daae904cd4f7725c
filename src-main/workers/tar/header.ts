import { printable } from '../printable.ts'
import { type TarEntry, type TarType, tarError } from './entry.ts'
import { readNumber, readText } from './fields.ts'
import { type PaxRecords, paxInteger, paxTime } from './pax.ts'

const TYPES: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'folder',
  '6': 'pipe',
  '7': 'file',
  S: 'file',
}

/** Largest size that fits the plain octal field. */
const MAX_OCTAL = 0o77777777777

/** What earlier headers said about the next entry. */
export interface Extensions {
  /** GNU long name and long link. */
  longPath: string | null
  longLink: string | null
  /** Local pax records, later ones first in force. */
  local: PaxRecords | null
}

export interface Header {
  readonly entry: TarEntry
  /** Bytes that follow in the archive, without padding. */
  readonly stored: number
  readonly records: PaxRecords
}

/** Puts an entry together from its header block and what went before it. Pure. @throws BottleError */
export function readHeader(
  block: Buffer,
  at: number,
  offset: number,
  global: PaxRecords,
  extensions: Extensions,
): Header {
  const records = extensions.local ?? []
  const pax = new Map<string, string>(global)
  for (const [key, value] of records) {
    // An empty value takes an earlier one back.
    if (value === '' && !key.startsWith('SCHILY.xattr.')) pax.delete(key)
    else pax.set(key, value)
  }
  const path = pax.get('GNU.sparse.name') ?? pax.get('path') ?? extensions.longPath ?? plainPath(block, at)
  const flag = String.fromCharCode(block[at + 156] ?? 0)
  const named = TYPES[flag]
  if (named === undefined) {
    throw tarError('type', `“${printable(path)}” is of the unknown type “${printable(flag)}”.`)
  }
  // Before there was a type for folders, a slash at the end marked them.
  const type = flag === '\0' && path.endsWith('/') ? 'folder' : named
  const stored = sizeOf(block, at, pax, path)
  const isFile = type === 'file'
  const isDevice = type === 'char' || type === 'block'
  const realSize = pax.get('GNU.sparse.realsize') ?? pax.get('GNU.sparse.size')
  const isPaxSparse = isFile && flag !== 'S' && isSparsePax(pax)
  const entry: TarEntry = {
    path,
    type,
    mode: readNumber(block, at + 100, 8, 'mode') & 0o7777,
    uid: ownerOf(pax.get('uid'), block, at + 108, 'user id', path),
    gid: ownerOf(pax.get('gid'), block, at + 116, 'group id', path),
    size: !isFile
      ? 0
      : flag === 'S'
        ? nonNegative(readNumber(block, at + 483, 12, 'real size'), 'real size', path)
        : isPaxSparse && realSize !== undefined
          ? paxInteger(realSize, 'real size')
          : stored,
    storedSize: stored,
    mtime: mtimeOf(pax.get('mtime'), block, at),
    link:
      type === 'symlink' || type === 'hardlink'
        ? (pax.get('linkpath') ?? extensions.longLink ?? readText(block, at + 157, 100))
        : '',
    major: isDevice ? nonNegative(readNumber(block, at + 329, 8, 'device'), 'device', path) : 0,
    minor: isDevice ? nonNegative(readNumber(block, at + 337, 8, 'device'), 'device', path) : 0,
    xattrs: xattrsOf(pax),
    isSparse: isPaxSparse || flag === 'S',
    offset,
  }
  // Like every other reader: what is no file has no content, whatever its header claims.
  return { entry, stored: isFile ? stored : 0, records }
}

/** True for GNU's form 1.0, whose map lies before the data. */
export function hasMapInData(records: PaxRecords): boolean {
  return records.some(([key, value]) => key === 'GNU.sparse.major' && value === '1')
}

function isSparsePax(pax: ReadonlyMap<string, string>): boolean {
  const major = pax.get('GNU.sparse.major')
  if (major !== undefined) {
    const form = `${major}.${pax.get('GNU.sparse.minor') ?? ''}`
    if (form !== '1.0' && form !== '0.1' && form !== '0.0') {
      throw tarError('sparse', `A sparse file in the tar has the unknown form ${printable(form)}.`)
    }
    return true
  }
  return pax.has('GNU.sparse.map') || pax.has('GNU.sparse.numblocks')
}

function plainPath(block: Buffer, at: number): string {
  const name = readText(block, at, 100)
  const isUstar = block.toString('latin1', at + 257, at + 263) === 'ustar\0'
  if (!isUstar) return name
  const isStar = block.toString('latin1', at + 508, at + 512) === 'tar\0'
  const prefix = readText(block, at + 345, isStar ? 131 : 155)
  return prefix === '' ? name : `${prefix}/${name}`
}

function sizeOf(block: Buffer, at: number, pax: ReadonlyMap<string, string>, path: string): number {
  const plain = nonNegative(readNumber(block, at + 124, 12, 'size'), 'size', path)
  const told = pax.get('size')
  if (told === undefined) return plain
  const size = paxInteger(told, 'size')
  // Programs write 0 or the largest octal number where the true one does not fit.
  const isHonest = plain === size || plain === 0 || (size > MAX_OCTAL && plain === MAX_OCTAL)
  if (!isHonest) {
    throw tarError('number', `“${printable(path)}” has two different sizes, ${plain} and ${size} bytes.`)
  }
  return size
}

function ownerOf(told: string | undefined, block: Buffer, at: number, what: string, path: string): number {
  if (told !== undefined) return paxInteger(told, what)
  return nonNegative(readNumber(block, at, 8, what), what, path)
}

function mtimeOf(told: string | undefined, block: Buffer, at: number): string {
  return told === undefined ? String(readNumber(block, at + 136, 12, 'time')) : paxTime(told)
}

function nonNegative(value: number, what: string, path: string): number {
  if (value < 0) throw tarError('number', `“${printable(path)}” has a negative ${what}.`)
  return value
}

const NO_XATTRS: ReadonlyMap<string, string> = new Map()

function xattrsOf(pax: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  let found: Map<string, string> | undefined
  for (const [key, value] of pax) {
    if (!key.startsWith('SCHILY.xattr.')) continue
    found ??= new Map()
    found.set(key.slice('SCHILY.xattr.'.length), value)
  }
  return found ?? NO_XATTRS
}
