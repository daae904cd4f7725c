/** East Asian wide ranges on which all terminals agree. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x20000, 0x3fffd],
]
/** Characters without a width that one character takes on; no writing needs as many. */
export const MOST_JOINED = 16
const NARROWEST = '[\\p{Mn}\\p{Me}\\p{Cf}\\u1160-\\u11ff]'
const ZERO = new RegExp(`^${NARROWEST}$`, 'u')
const HEAP = new RegExp(`(${NARROWEST}{${MOST_JOINED}})${NARROWEST}+`, 'gu')
const PICTURE = /^\p{Emoji_Presentation}$/u
const UNCLEAR = /[\p{Mn}\p{Me}\p{Cf}\p{Emoji_Presentation}\u1160-\u11ff\u{1f000}-\u{1ffff}]/u

/** More than any text has of different characters; output that has them all must not fill the memory. */
const MOST_KNOWN = 4096
const known = new Map<number, 0 | 1 | 2>()

/** Columns that a character takes in a terminal. */
export function charWidth(code: number): 0 | 1 | 2 {
  // The most of all text, without a look anywhere.
  if (code < 0x300) return 1
  let width = known.get(code)
  if (width === undefined) {
    width = measure(code)
    if (known.size >= MOST_KNOWN) known.clear()
    known.set(code, width)
  }
  return width
}

function measure(code: number): 0 | 1 | 2 {
  if (WIDE.some(([from, to]) => code >= from && code <= to)) return 2
  const text = String.fromCodePoint(code)
  if (ZERO.test(text)) return 0
  // Halves of flags are narrow where they are not joined.
  return PICTURE.test(text) && !(code >= 0x1f1e6 && code <= 0x1f1ff) ? 2 : 1
}

/**
 * True for output that looks different from one terminal to the next: with characters of disputed width (pictures,
 * joiners, accents), or with a title that only some take for one. Pure.
 */
export const isUnclear = (text: string): boolean => UNCLEAR.test(text) || text.includes('\x1bk')

/** Leaves out what has no width after a few such characters in a row. Pure. */
export const thinOut = (text: string): string => text.replace(HEAP, '$1')
