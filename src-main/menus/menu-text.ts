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

/** "14:05" on the day of `now`, else "20 Nov, 14:05", in the person's own time. Pure. */
export function clockText(at: string, now: Date): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return ''
  const time = date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  if (date.toDateString() === now.toDateString()) return time
  const isThisYear = date.getFullYear() === now.getFullYear()
  const day = date.toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    ...(isThisYear ? {} : { year: 'numeric' }),
  })
  return `${day}, ${time}`
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
