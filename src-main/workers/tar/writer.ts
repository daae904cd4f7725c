import { bottleError } from '../../system/bottle-error.ts'
import { printable } from '../printable.ts'
import type { TarType } from './entry.ts'
import { paxRecord } from './pax.ts'

const BLOCK = 512
const MAX_OCTAL_8 = 0o7777777
const MAX_OCTAL_12 = 0o77777777777

const FLAGS: Readonly<Record<TarType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  folder: '5',
  pipe: '6',
}

export interface NewTarEntry {
  /** Bytes as latin1 characters; folders end with a slash or get one. */
  readonly path: string
  readonly type: TarType
  /** Default 0644, folders 0755, symbolic links 0777. */
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** Bytes of content; only for files. */
  readonly size?: number
  /** Seconds, with a fraction if wanted; default 0. */
  readonly mtime?: string
  readonly link?: string
  readonly major?: number
  readonly minor?: number
  /** Names and values as latin1-held bytes; written sorted by name. */
  readonly xattrs?: ReadonlyMap<string, string>
}

/** Two empty blocks: what a tar ends with. */
export const TAR_END: Uint8Array = Buffer.alloc(2 * BLOCK)

/** Zeros to write after so many bytes of content. */
export function tarPadding(size: number): Uint8Array {
  return TAR_END.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK)
}

/**
 * An entry's header with, where plain fields are too small, a pax header before it. The bytes depend on nothing but
 * the entry: no clock, no user names.
 * @throws BottleError `internal` for what no tar can hold (a NUL in a name, a negative size)
 */
export function writeTarHeader(entry: NewTarEntry): Uint8Array {
  const path = entry.type === 'folder' && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path
  const link = entry.link ?? ''
  const size = entry.type === 'file' ? (entry.size ?? 0) : 0
  check(entry, path, link, size)
  const mtime = entry.mtime ?? '0'
  const records: [string, string][] = []
  const need = (isNeeded: boolean, key: string, value: string) => {
    if (isNeeded) records.push([key, value])
  }
  const split = splitPath(path)
  const uid = entry.uid ?? 0
  const gid = entry.gid ?? 0
  // Fixed order, so that equal entries are equal bytes.
  need(gid > MAX_OCTAL_8, 'gid', String(gid))
  need(isForeign(link) || link.length > 100, 'linkpath', link)
  need(!/^\d{1,11}$/.test(mtime) || Number(mtime) > MAX_OCTAL_12, 'mtime', mtime)
  need(split === null || isForeign(path), 'path', path)
  need(size > MAX_OCTAL_12, 'size', String(size))
  need(uid > MAX_OCTAL_8, 'uid', String(uid))
  for (const [key, value] of [...(entry.xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
    records.push([`SCHILY.xattr.${key}`, value])
  }
  const whole = Number.parseInt(mtime, 10)
  const header = block({
    name: split?.name ?? path.slice(0, 100),
    prefix: split?.prefix ?? '',
    flag: FLAGS[entry.type],
    mode: entry.mode ?? (entry.type === 'folder' ? 0o755 : entry.type === 'symlink' ? 0o777 : 0o644),
    uid: uid > MAX_OCTAL_8 ? 0 : uid,
    gid: gid > MAX_OCTAL_8 ? 0 : gid,
    size: size > MAX_OCTAL_12 ? 0 : size,
    mtime: whole < 0 || whole > MAX_OCTAL_12 ? 0 : whole,
    link: link.slice(0, 100),
    major: entry.major ?? 0,
    minor: entry.minor ?? 0,
  })
  if (records.length === 0) return header
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)))
  const before = block({
    name: 'PaxHeaders.0/entry',
    prefix: '',
    flag: 'x',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: body.length,
    mtime: 0,
    link: '',
    major: 0,
    minor: 0,
  })
  return Buffer.concat([before, body, tarPadding(body.length), header])
}

interface Fields {
  readonly name: string
  readonly prefix: string
  readonly flag: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtime: number
  readonly link: string
  readonly major: number
  readonly minor: number
}

function block(fields: Fields): Buffer {
  const out = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, length: number) =>
    out.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1')
  out.write(fields.name, 0, 100, 'latin1')
  octal(fields.mode & 0o7777, 100, 8)
  octal(fields.uid, 108, 8)
  octal(fields.gid, 116, 8)
  octal(fields.size, 124, 12)
  octal(fields.mtime, 136, 12)
  out.write('        ', 148, 'latin1')
  out.write(fields.flag, 156, 'latin1')
  out.write(fields.link, 157, 100, 'latin1')
  out.write('ustar\x0000', 257, 'latin1')
  octal(fields.major, 329, 8)
  octal(fields.minor, 337, 8)
  out.write(fields.prefix, 345, 155, 'latin1')
  let sum = 0
  for (const byte of out) sum += byte
  out.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return out
}

/** The path over name and prefix, cut at a slash; null when it does not fit. */
function splitPath(path: string): { readonly name: string; readonly prefix: string } | null {
  if (path.length <= 100) return { name: path, prefix: '' }
  // The last slash of a folder belongs to its name.
  for (let cut = path.indexOf('/', path.length - 101); cut !== -1; cut = path.indexOf('/', cut + 1)) {
    if (cut > 155 || cut >= path.length - 1) return null
    if (cut > 0) return { name: path.slice(cut + 1), prefix: path.slice(0, cut) }
  }
  return null
}

/** Bytes beyond ASCII go into a pax record, as other programs write them too. */
function isForeign(text: string): boolean {
  return /[\x80-\xff]/.test(text)
}

function check(entry: NewTarEntry, path: string, link: string, size: number): void {
  const numbers = [size, entry.uid ?? 0, entry.gid ?? 0, entry.mode ?? 0, entry.major ?? 0, entry.minor ?? 0]
  const isBad =
    path === '' ||
    path.includes('\0') ||
    link.includes('\0') ||
    /[^\0-\xff]/.test(path + link) ||
    !/^-?\d{1,15}(\.\d{1,20})?$/.test(entry.mtime ?? '0') ||
    numbers.some((value) => !Number.isSafeInteger(value) || value < 0) ||
    Math.max(entry.major ?? 0, entry.minor ?? 0) > MAX_OCTAL_8
  if (isBad) {
    throw bottleError('internal', `“${printable(path)}” can't be written to a tar.`)
  }
}
