import type { ScreenText } from '../agent-access.ts'
import type { AttachCommand } from './multiplexer.ts'
import { openTerminal } from './terminal.ts'
import { openView } from './terminal-view.ts'

/** A display that gets nothing more for so long has been drawn. */
const QUIET_MS = 80
/** A display that gets nothing at all. */
const BLANK_MS = 15_000

/** What a display that attaches is shown. */
export async function drawn(
  command: AttachCommand,
  size: { readonly cols: number; readonly rows: number },
  signal: AbortSignal,
): Promise<ScreenText> {
  const view = await openView(size)
  const done = new AbortController()
  const patience = AbortSignal.any([signal, done.signal, AbortSignal.timeout(BLANK_MS)])
  const channel = await openTerminal(command, size, patience)
  let quiet = setTimeout(() => done.abort(), BLANK_MS)
  try {
    for await (const bytes of channel.data) {
      view.feed(bytes)
      // The next bytes wait until these are drawn.
      await view.settled()
      clearTimeout(quiet)
      quiet = setTimeout(() => done.abort(), QUIET_MS)
    }
    signal.throwIfAborted()
    return await view.look()
  } finally {
    clearTimeout(quiet)
    channel.detach()
    view.close()
  }
}
