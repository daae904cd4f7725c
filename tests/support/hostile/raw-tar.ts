/** One entry of a tar that may lie about anything. */
export interface RawEntry {
  readonly name: string
  /** Type flag; '0' is a file. */
  readonly type?: string
  readonly body?: Uint8Array | string
  readonly link?: string
  /** What the header claims, when it is not the body's length; a string is written into the field as it is. */
  readonly size?: number | string
  readonly mode?: number
  /** Extended header before the entry; a key's value may lie too. */
  readonly pax?: Readonly<Record<string, string>>
  /** Flips a bit of the checksum. */
  readonly isBroken?: boolean
  readonly device?: readonly [number, number]
}

const BLOCK = 512

function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, '0')}\0`
}

function padded(body: Buffer): Buffer {
  return Buffer.concat([body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)])
}

function header(entry: RawEntry, length: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  block.write(entry.name.slice(0, 100), 0, 'latin1')
  block.write(octal(entry.mode ?? (entry.type === '5' ? 0o755 : 0o644), 8), 100, 'latin1')
  block.write(octal(0, 8), 108, 'latin1')
  block.write(octal(0, 8), 116, 'latin1')
  const size = entry.size ?? length
  block.write(typeof size === 'string' ? size : octal(size, 12), 124, 12, 'latin1')
  block.write(octal(0, 12), 136, 'latin1')
  block.write('        ', 148, 'latin1')
  block.write(entry.type ?? '0', 156, 'latin1')
  block.write((entry.link ?? '').slice(0, 100), 157, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  const [major, minor] = entry.device ?? [0, 0]
  block.write(octal(major, 8), 329, 'latin1')
  block.write(octal(minor, 8), 337, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${(sum + (entry.isBroken ? 1 : 0)).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

function paxBody(records: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`
    let length = rest.length + 1
    while (String(length).length + rest.length !== length) length = String(length).length + rest.length
    return `${length}${rest}`
  })
  return Buffer.from(lines.join(''), 'latin1')
}

export function rawEntry(entry: RawEntry): Buffer {
  const body = Buffer.from(entry.body ?? '')
  const parts: Buffer[] = []
  const pax = entry.name.length > 100 ? { path: entry.name, ...entry.pax } : entry.pax
  if (pax) {
    const text = paxBody(pax)
    parts.push(header({ name: 'PaxHeader', type: 'x' }, text.length), padded(text))
  }
  parts.push(header(entry, body.length), padded(body))
  return Buffer.concat(parts)
}

/** A tar of these entries, with its two empty blocks at the end unless another end is given. */
export function rawTar(entries: readonly RawEntry[], end: Uint8Array = Buffer.alloc(2 * BLOCK)): Buffer {
  return Buffer.concat([...entries.map(rawEntry), end])
}
