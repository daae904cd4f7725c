import type { Terminal } from '@xterm/headless'
import type { ScreenText } from '../agent-access.ts'
import { charWidth, isUnclear } from './char-width.ts'
import { screenText } from './multiplexer.ts'
import type { InputModes } from './strokes.ts'

/** What a terminal would show after all that a program wrote, without a terminal. */
export interface TerminalView {
  /** Takes the next bytes; a look waits until they are worked in. */
  feed(bytes: Uint8Array): void
  resize(cols: number, rows: number): void
  /** False once something came in whose look differs from one terminal to the next. */
  readonly isSure: boolean
  readonly modes: InputModes
  /** Resolves when all that was fed is worked in. */
  settled(): Promise<void>
  look(): Promise<ScreenText>
  close(): void
}

/** Opens a view of that size; it holds about 200 kB. */
export async function openView(size: {
  readonly cols: number
  readonly rows: number
}): Promise<TerminalView> {
  const { default: headless } = await import('@xterm/headless')
  const terminal = new headless.Terminal({ ...size, scrollback: 0, allowProposedApi: true })
  terminal.unicode.register({ version: 'icebox', wcwidth: charWidth, charProperties })
  terminal.unicode.activeVersion = 'icebox'
  const text = new TextDecoder()
  let isSure = true
  let isClosed = false
  let giveUp: () => void = () => undefined
  // A terminal that was let go answers nobody, so whoever still waits for it goes on.
  const closed = new Promise<void>((resolve) => {
    giveUp = resolve
  })
  const settled = (): Promise<void> =>
    isClosed ? closed : Promise.race([closed, new Promise<void>((resolve) => terminal.write('', resolve))])
  return {
    feed(bytes) {
      isSure &&= !isUnclear(text.decode(bytes, { stream: true }))
      if (!isClosed) terminal.write(bytes)
    },
    resize(cols, rows) {
      if (!isClosed) terminal.resize(cols, rows)
    },
    get isSure() {
      return isSure
    },
    get modes() {
      const { bracketedPasteMode, applicationCursorKeysMode } = terminal.modes
      return { bracketedPaste: bracketedPasteMode, applicationCursor: applicationCursorKeysMode }
    },
    settled,
    async look() {
      await settled()
      return isClosed ? screenText('', size.cols, size.rows) : screenOf(terminal)
    },
    close() {
      isClosed = true
      terminal.dispose()
      giveUp()
    },
  }
}

function screenOf({ cols, rows, buffer: { active } }: Terminal): ScreenText {
  const lines = Array.from({ length: rows }, (_, row) => {
    return (
      active
        .getLine(active.viewportY + row)
        ?.translateToString(true)
        .trimEnd() ?? ''
    )
  })
  return { lines, cols, rows }
}

/** As the emulator wants it: width from bit 1 on, and bit 0 when the character joins the one before. */
function charProperties(code: number, preceding: number): number {
  const own = charWidth(code)
  const before = (preceding >> 1) & 3
  const isJoined = own === 0 && preceding !== 0 && before > 0
  return ((isJoined ? Math.max(own, before) : own) << 1) | (isJoined ? 1 : 0)
}
