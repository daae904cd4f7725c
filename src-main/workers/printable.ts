const MAX = 200
const strict = new TextDecoder('utf-8', { fatal: true })

/** The text of latin1-held bytes when they are UTF-8, else null. */
export function utf8OfBytes(bytes: string): string | null {
  try {
    return strict.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return null
  }
}

/**
 * A name from an archive as a person can read it: UTF-8 where it is, `\xNN` for control characters and stray bytes,
 * direction marks escaped, cut at 200 characters. Takes bytes held as latin1 characters.
 */
export function printable(bytes: string): string {
  const cut = bytes.length > MAX ? `${bytes.slice(0, MAX)}` : bytes
  const text = (bytes.length > MAX ? null : utf8OfBytes(cut)) ?? cut.replace(/[\x80-\xff]/g, hexEscape)
  const safe = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
    .replace(/[\x00-\x1f\x7f-\x9f]/g, hexEscape)
    .replace(
      /[\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  return bytes.length > MAX ? `${safe}…` : safe
}

function hexEscape(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
}
