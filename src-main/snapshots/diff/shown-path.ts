const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * A path's bytes (one per character) as a person reads it: UTF-8, and `\xNN` for every byte that is none, for control
 * characters and for the backslash itself, so that the text names exactly one path. Pure.
 */
export function shownPath(bytes: string): string {
  if (/^[\x20-\x5b\x5d-\x7e]*$/.test(bytes)) return bytes
  let shown = ''
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes.charCodeAt(at))
    const piece = bytes.slice(at, at + length)
    const text = piece.length === length ? decodePiece(piece) : null
    if (text === null) {
      shown += escaped(bytes.charCodeAt(at))
      at += 1
    } else {
      shown += text
      at += length
    }
  }
  return shown
}

function sequenceLength(first: number): number {
  if (first >= 0xf0) return 4
  if (first >= 0xe0) return 3
  return first >= 0xc0 ? 2 : 1
}

/** Null for what is no UTF-8 and for what a terminal must never get as it is. */
function decodePiece(piece: string): string | null {
  if (piece === '\\') return null
  try {
    const text = decoder.decode(Buffer.from(piece, 'latin1'))
    return text.length > 0 && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text) ? text : null
  } catch {
    return null
  }
}

function escaped(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}

/** The bytes (one per character) of a path that `shownPath` wrote or a person typed. Pure. */
export function pathBytes(shown: string): string {
  return shown
    .split(/(\\x[0-9a-f]{2})/i)
    .map((part, at) =>
      at % 2 === 1
        ? String.fromCharCode(Number.parseInt(part.slice(2), 16))
        : Buffer.from(part, 'utf8').toString('latin1'),
    )
    .join('')
}
