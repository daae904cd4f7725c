import { tarError } from './entry.ts'

const SPACE = 0x20
const ZERO = 0x30
const SEVEN = 0x37

/**
 * A number field of a header: octal text with blanks around it, or base-256 when the top bit is set.
 * @throws BottleError `artifact-invalid` for other text and for what a double can't hold exactly
 */
export function readNumber(block: Buffer, at: number, length: number, what: string): number {
  const first = block[at] ?? 0
  if (first & 0x80) return readBase256(block, at, length, what)
  let value = 0
  let end = at + length
  let from = at
  while (from < end && (block[from] === SPACE || block[from] === 0)) from++
  while (end > from && (block[end - 1] === SPACE || block[end - 1] === 0)) end--
  for (; from < end; from++) {
    const char = block[from] ?? 0
    if (char < ZERO || char > SEVEN) throw tarError('number', `A tar header's ${what} is no number.`)
    value = value * 8 + (char - ZERO)
  }
  return value
}

function readBase256(block: Buffer, at: number, length: number, what: string): number {
  const isNegative = ((block[at] ?? 0) & 0x40) !== 0
  let value = isNegative ? -1n : 0n
  for (let index = 0; index < length; index++) {
    const byte = block[at + index] ?? 0
    // The top bit marks the form; the next one is the sign.
    value = (value << 8n) | BigInt(index > 0 ? byte : isNegative ? byte : byte & 0x7f)
  }
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
    throw tarError('number', `A tar header's ${what} is absurdly large.`)
  }
  return Number(value)
}

/** Bytes up to the first NUL, as latin1 characters. */
export function readText(block: Buffer, at: number, length: number): string {
  let end = at
  const stop = at + length
  while (end < stop && block[end] !== 0) end++
  return block.toString('latin1', at, end)
}

/** True for a block of zeros only. */
export function isZeroBlock(block: Buffer, at: number): boolean {
  for (let index = at; index < at + 512; index++) if (block[index] !== 0) return false
  return true
}

/** True when the header's checksum fits, summed over unsigned bytes or, as some old programs did, signed ones. */
export function hasRightChecksum(block: Buffer, at: number): boolean {
  let unsigned = 8 * SPACE
  for (let index = at; index < at + 148; index++) unsigned += block[index] ?? 0
  for (let index = at + 156; index < at + 512; index++) unsigned += block[index] ?? 0
  const first = block[at + 148] ?? 0
  if (first & 0x80) return false
  let told: number
  try {
    told = readNumber(block, at + 148, 8, 'checksum')
  } catch {
    return false
  }
  if (told === unsigned) return true
  let signed = 8 * SPACE
  for (let index = at; index < at + 512; index++) {
    if (index < at + 148 || index >= at + 156) signed += ((block[index] ?? 0) << 24) >> 24
  }
  return told === signed
}
