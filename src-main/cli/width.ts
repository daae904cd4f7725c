// Wide: East Asian scripts and emoji, two cells each on every common terminal.
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u
const ZERO = /^(?:\p{Mn}|\p{Me}|[\u200b-\u200f\u2060\ufeff])/u

function cells(char: string): number {
  if (ZERO.test(char)) return 0
  return WIDE.test(char) ? 2 : 1
}

/** Cells that plain text (no escape codes) takes on a terminal. */
export function textWidth(text: string): number {
  let width = 0
  for (const char of text) width += cells(char)
  return width
}

/** Cuts plain text to at most `width` cells, with `…` at the cut. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  if (width <= 0) return ''
  let kept = ''
  let used = 0
  for (const char of text) {
    if (used + cells(char) > width - 1) break
    kept += char
    used += cells(char)
  }
  return `${kept}…`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]+/g

/** One line of harmless text: names and notes come from files and engines, and must not drive the terminal. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, ' ').trim()
}
