const MAX_LENGTH = 60

/** A text of unknown origin as one line of bounded length. Pure. */
export function oneLine(text: string, max = MAX_LENGTH): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  const letters = [...line]
  return letters.length <= max
    ? line
    : `${letters
        .slice(0, max - 1)
        .join('')
        .trimEnd()}…`
}

/** A menu reads `&x` as "x is the key of this item"; doubled, it is the letter. Pure. */
export function menuText(text: string): string {
  return oneLine(text).replaceAll('&', '&&')
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** "14:05" on the day of `now`, else "20 Nov, 14:05", in the person's own time. Pure. */
export function clockText(at: string, now: Date): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return ''
  const time = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`
  if (date.toDateString() === now.toDateString()) return time
  const year = date.getFullYear() === now.getFullYear() ? '' : ` ${date.getFullYear()}`
  return `${date.getDate()} ${MONTHS[date.getMonth()]}${year}, ${time}`
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0')
}

const MAC_KEYS: Readonly<Record<string, string>> = { mod: '⌘', shift: '⇧', alt: '⌥' }
const PC_KEYS: Readonly<Record<string, string>> = { mod: 'Ctrl', shift: 'Shift', alt: 'Alt' }

/** A chord like `mod+shift+f` as the platform writes it: "⌘⇧F" or "Ctrl+Shift+F". Pure. */
export function chordText(chord: string, platform: string): string {
  const isMac = platform === 'darwin'
  return chord
    .split('+')
    .map((part) => (isMac ? MAC_KEYS : PC_KEYS)[part] ?? part.charAt(0).toUpperCase() + part.slice(1))
    .join(isMac ? '' : '+')
}
