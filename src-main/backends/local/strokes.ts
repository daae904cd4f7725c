import type { Stroke } from '../agent-access.ts'

/** Between a text and the key after it: a program that repaints loses a key that comes at once. */
export const SETTLE_MS = 300
/** Between two keys. */
const KEY_MS = 100

export type KeyName = Extract<Stroke, { key: unknown }>['key']

export type PacedStroke =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'key'; readonly key: KeyName }
  | { readonly kind: 'pause'; readonly ms: number }

/** Puts the waits in that the caller did not name, and leaves out texts with nothing in them. Pure. */
export function paceStrokes(strokes: readonly Stroke[]): readonly PacedStroke[] {
  const paced: PacedStroke[] = []
  for (const stroke of strokes) {
    if ('pauseMs' in stroke) {
      paced.push({ kind: 'pause', ms: Math.max(0, stroke.pauseMs) })
      continue
    }
    const next: PacedStroke =
      'key' in stroke ? { kind: 'key', key: stroke.key } : { kind: 'text', text: typedText(stroke.text) }
    if (next.kind === 'text' && next.text === '') continue
    const before = paced.at(-1)?.kind
    if (before === 'text' && next.kind === 'key') paced.push({ kind: 'pause', ms: SETTLE_MS })
    else if (before === 'key') paced.push({ kind: 'pause', ms: KEY_MS })
    paced.push(next)
  }
  return paced
}

/** A text without control characters but tab and line end: it can press no key and end no paste. Pure. */
export function typedText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(/(?![\n\t])\p{Cc}/gu, '')
}

/** True for a text that is pasted, so that a line end in it sends nothing. Pure. */
export const isPaste = (text: string): boolean => text.includes('\n')

/** What the program of a terminal asked for. */
export interface InputModes {
  readonly bracketedPaste: boolean
  readonly applicationCursor: boolean
}

const PLAIN_KEYS: Readonly<Record<Exclude<KeyName, 'Up' | 'Down' | 'Left' | 'Right'>, string>> = {
  Enter: '\r',
  Escape: '\x1b',
  Tab: '\t',
  BSpace: '\x7f',
  'C-c': '\x03',
  'C-d': '\x04',
}
const ARROWS = { Up: 'A', Down: 'B', Right: 'C', Left: 'D' } as const

/** The bytes that a terminal sends for a key. Pure. */
export function keyBytes(key: KeyName, modes: InputModes): string {
  if (key === 'Up' || key === 'Down' || key === 'Left' || key === 'Right') {
    return `\x1b${modes.applicationCursor ? 'O' : '['}${ARROWS[key]}`
  }
  return PLAIN_KEYS[key]
}

/** The bytes that a terminal sends for a text; several lines as one paste where the program knows pastes. Pure. */
export function textBytes(text: string, modes: InputModes): string {
  const lines = text.replaceAll('\n', '\r')
  return isPaste(text) && modes.bracketedPaste ? `\x1b[200~${lines}\x1b[201~` : lines
}
