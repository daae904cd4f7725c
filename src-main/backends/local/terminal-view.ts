import type { Terminal } from '@xterm/headless'
import type { ScreenText } from '../agent-access.ts'
import { charWidth, isUnclear, thinOut } from './char-width.ts'
import { screenText } from './multiplexer.ts'
import type { InputModes } from './strokes.ts'
import { guardTerminal } from './terminal-guard.ts'

/** Characters that are worked in without a pause for whatever else this process does. */
const PIECE = 512

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
  // Whatever is no sequence would be reported on this process's own output.
  const quiet = { allowProposedApi: true, logLevel: 'off' } as const
  const terminal = new headless.Terminal({ ...size, ...quiet, scrollback: 0 })
  let isSure = true
  const charProperties = guardTerminal(terminal, () => {
    isSure = false
  })
  terminal.unicode.register({ version: 'icebox', wcwidth: charWidth, charProperties })
  terminal.unicode.activeVersion = 'icebox'
  const decoder = new TextDecoder()
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
      const read = decoder.decode(bytes, { stream: true })
      const isOdd = isUnclear(read)
      isSure &&= !isOdd
      const text = isOdd ? thinOut(read) : read
      for (let at = 0; at < text.length && !isClosed; at += PIECE) terminal.write(text.slice(at, at + PIECE))
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
