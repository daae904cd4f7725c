import { isDesktop } from '../bridge/bridge.ts'

/** True on a Mac, where the command key leads; elsewhere it is Ctrl. */
export const isMac = /mac|iphone|ipad/i.test(navigator.platform)

/** A browser keeps Ctrl+N to itself. */
export const NEW_CHORD = isDesktop ? 'mod+n' : 'alt+n'

const MAC_NAMES: Readonly<Record<string, string>> = {
  mod: '⌘',
  shift: '⇧',
  alt: '⌥',
  enter: '↩',
  backspace: '⌫',
  space: 'Space',
}
const PC_NAMES: Readonly<Record<string, string>> = {
  mod: 'Ctrl',
  shift: 'Shift',
  alt: 'Alt',
  enter: 'Enter',
  backspace: 'Backspace',
  space: 'Space',
}

/** A chord like `mod+shift+f` as this platform writes it: "⌘⇧F" or "Ctrl+Shift+F". */
export function chordText(chord: string): string {
  const names = isMac ? MAC_NAMES : PC_NAMES
  return chord
    .split('+')
    .map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part))
    .join(isMac ? '' : '+')
}

/** True when a key press is that chord. Letters and digits go by what the key types, or by its place with Alt. */
export function isChord(event: KeyboardEvent, chord: string): boolean {
  const parts = chord.split('+')
  const key = parts.at(-1) ?? ''
  const mod = isMac ? event.metaKey : event.ctrlKey
  const other = isMac ? event.ctrlKey : event.metaKey
  return (
    mod === parts.includes('mod') &&
    !other &&
    event.shiftKey === parts.includes('shift') &&
    event.altKey === parts.includes('alt') &&
    isKey(event, key)
  )
}

function isKey(event: KeyboardEvent, key: string): boolean {
  const pressed = event.key.toLowerCase()
  if (key === 'space') return event.key === ' '
  if (pressed === key) return true
  if (/^[a-z]$/.test(key))
    return event.code === `Key${key.toUpperCase()}` && (event.altKey || !/^[a-z]$/.test(pressed))
  if (/^\d$/.test(key)) return event.code === `Digit${key}`
  return key === '/' && event.code === 'Slash'
}
