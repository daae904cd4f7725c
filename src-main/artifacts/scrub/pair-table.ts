/** A short text to be found, and where its least common three bytes lie. */
export interface KeyedNeedle {
  readonly bytes: Uint8Array
  /** Offset of the three bytes that are looked for. */
  readonly key: number
}

/**
 * Finds many short texts at once by looking at every second pair of bytes: whatever the alignment, one of a key's two
 * pairs is among them. The cost hardly grows with the number of texts, as that of one search for each would.
 */
export interface PairTable<T extends KeyedNeedle> {
  /** Calls back with each needle that begins so that its key lies in [from, until); `bytes` begins at an even offset. */
  scan(bytes: Buffer, from: number, until: number, found: (needle: T, at: number) => void): void
}

/** Builds the table once for a set of needles. */
export function createPairTable<T extends KeyedNeedle>(needles: readonly T[]): PairTable<T> {
  const marks = new Uint8Array(0x10000)
  const buckets = new Map<number, { readonly needle: T; readonly shift: number }[]>()
  for (const needle of needles) {
    for (const shift of [0, 1]) {
      const pair = pairAt(needle.bytes, needle.key + shift)
      marks[pair] = 1
      const bucket = buckets.get(pair) ?? []
      bucket.push({ needle, shift })
      buckets.set(pair, bucket)
    }
  }
  return {
    scan(bytes, from, until, found) {
      const end = Math.min(until + 1, bytes.length - 1)
      for (let at = from & ~1; at < end; at += 2) {
        const pair = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
        if (marks[pair] === 0) continue
        for (const { needle, shift } of buckets.get(pair) ?? []) {
          const key = at - shift
          const start = key - needle.key
          if (key >= from && key < until && start >= 0 && isAt(bytes, start, needle.bytes))
            found(needle, start)
        }
      }
    },
  }
}

function isAt(bytes: Buffer, start: number, wanted: Uint8Array): boolean {
  if (start + wanted.length > bytes.length) return false
  for (let at = 0; at < wanted.length; at++) if (bytes[start + at] !== wanted[at]) return false
  return true
}

function pairAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)
}

/** Where, among its first 64 bytes, a text of three bytes or more is least like other texts. Pure. */
export function keyOf(bytes: Uint8Array): number {
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let at = 0; at + 2 < Math.min(bytes.length, 64); at++) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3)
    const cost = commonness(a) * commonness(b) + commonness(b) * commonness(c)
    if (cost < least) {
      least = cost
      best = at
    }
  }
  return best
}

/** How often a byte comes in programs and texts, roughly. */
function commonness(byte: number): number {
  if (byte === 0 || byte === 0xff) return 20
  if (byte === 0x20) return 10
  if (byte >= 0x61 && byte <= 0x7a) return 'etaoinsrlcdup'.includes(String.fromCharCode(byte)) ? 6 : 3
  if (byte >= 0x30 && byte <= 0x39) return 2
  return byte >= 0x41 && byte <= 0x5a ? 1.5 : 2
}
