import type { Terminal } from '@xterm/headless'
import { charWidth, MOST_JOINED } from './char-width.ts'

/** Titles, links and colours: nothing of them shows, and the emulator would keep them or take long over them. */
const UNSEEN = [0, 1, 2, 4, 8, 10, 11, 12, 104]
/** Lines that are moved at once, one by one, on however small a screen. */
const MOST_LINES = 100

/** Width and joining of a character, as the emulator asks for them. */
export type CharProperties = (code: number, preceding: number) => number

/**
 * Keeps a few bytes of output from costing much time or memory: the emulator takes any count at its word, and any
 * number of marks on one character.
 * @param refused called when something that a terminal would have done was left out
 */
export function guardTerminal(terminal: Terminal, refused: () => void): CharProperties {
  const { parser } = terminal
  let lastWidth = 0
  let joined = 0
  for (const unseen of UNSEEN) parser.registerOscHandler(unseen, () => true)
  const limit = (final: string, isTooMuch: (count: number) => boolean): void => {
    parser.registerCsiHandler({ final }, ([count]) => {
      if (!isTooMuch(Number(count) || 1)) return false
      refused()
      return true
    })
  }
  // Only of a narrow character is it certain that the cell before the cursor holds it.
  limit('b', (count) => count > terminal.cols * terminal.rows || lastWidth !== 1)
  for (const final of 'LMST') limit(final, (count) => count > Math.max(terminal.rows, MOST_LINES))
  for (const final of 'IZ') limit(final, (count) => count > terminal.cols)
  return (code, preceding) => {
    const own = charWidth(code)
    const before = (preceding >> 1) & 3
    if (own === 0 && preceding !== 0 && before > 0 && joined < MOST_JOINED) {
      joined++
      lastWidth = before
      return (before << 1) | 1
    }
    lastWidth = own
    // What has no room is not drawn, and marks that follow would heap up on another character.
    if (own > 0) joined = own === 2 && isDropped(terminal) ? MOST_JOINED : 0
    return own << 1
  }
}

function isDropped({ buffer, cols, modes }: Terminal): boolean {
  return buffer.active.cursorX + 2 > cols && !modes.wraparoundMode
}
