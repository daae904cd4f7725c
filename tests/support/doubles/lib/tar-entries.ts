import { closeSync, openSync, readSync } from 'node:fs'

export interface TarEntry {
  readonly name: string
  /** The type flag: `0` file, `1` hard link, `2` symbolic link, `5` folder, … */
  readonly type: string
  readonly size: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly linkName: string
  /** Where the content begins in the file. */
  readonly offset: number
  readonly pax: Readonly<Record<string, string>>
}

/** Reads the headers of an uncompressed tar file: ustar, pax and GNU long names. @throws Error on a broken one */
export function readTarEntries(path: string): readonly TarEntry[] {
  const file = openSync(path, 'r')
  try {
    const entries: TarEntry[] = []
    let pax: Record<string, string> = {}
    let longName: string | null = null
    let longLink: string | null = null
    for (let position = 0; ; ) {
      const header = readAt(file, position, 512)
      if (header.length === 0 || header.every((byte) => byte === 0)) return entries
      if (header.length < 512 || !hasRightSum(header)) throw new Error(`${path} is no tar archive`)
      position += 512
      const type = String.fromCharCode(header[156] || 48)
      const headerSize = numberOf(header, 124, 12)
      const size = type === 'x' || type === 'g' ? headerSize : Number(pax.size ?? headerSize)
      if (type === 'x') pax = parsePax(readAt(file, position, size))
      else if (type === 'L') longName = textOf(readAt(file, position, size), 0, size)
      else if (type === 'K') longLink = textOf(readAt(file, position, size), 0, size)
      else if (type !== 'g') {
        const prefix =
          textOf(header, 257, 5) === 'ustar' && header[263] === 48 ? textOf(header, 345, 155) : ''
        const name = textOf(header, 0, 100)
        entries.push({
          name: pax.path ?? longName ?? (prefix ? `${prefix}/${name}` : name),
          type,
          size,
          mode: numberOf(header, 100, 8),
          uid: Number(pax.uid ?? numberOf(header, 108, 8)),
          gid: Number(pax.gid ?? numberOf(header, 116, 8)),
          linkName: pax.linkpath ?? longLink ?? textOf(header, 157, 100),
          offset: position,
          pax,
        })
        pax = {}
        longName = null
        longLink = null
      }
      const content = type === '1' || type === '2' || type === '5' ? 0 : size
      position += Math.ceil(content / 512) * 512
    }
  } finally {
    closeSync(file)
  }
}

function readAt(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  let got = 0
  while (got < length) {
    const count = readSync(file, buffer, got, length - got, position + got)
    if (count === 0) break
    got += count
  }
  return buffer.subarray(0, got)
}

function textOf(buffer: Buffer, from: number, length: number): string {
  const end = buffer.indexOf(0, from)
  return buffer.toString('utf8', from, end >= from && end < from + length ? end : from + length)
}

function numberOf(buffer: Buffer, from: number, length: number): number {
  if ((buffer[from] ?? 0) & 0x80)
    return Number(BigInt(`0x${buffer.subarray(from + 1, from + length).toString('hex')}`))
  return Number.parseInt(textOf(buffer, from, length).trim() || '0', 8)
}

function hasRightSum(header: Buffer): boolean {
  const told = numberOf(header, 148, 8)
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0)
  return sum === told
}

function parsePax(data: Buffer): Record<string, string> {
  const found: Record<string, string> = {}
  for (let at = 0; at < data.length; ) {
    const blank = data.indexOf(32, at)
    if (blank < 0) break
    const length = Number(data.toString('latin1', at, blank))
    if (!(length > 0)) break
    const equals = data.indexOf(61, blank)
    found[data.toString('utf8', blank + 1, equals)] = data.toString('utf8', equals + 1, at + length - 1)
    at += length
  }
  return found
}
