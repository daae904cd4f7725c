import { open } from 'node:fs/promises'
import type { ScreenText } from '../agent-access.ts'
import { openView, type TerminalView } from './terminal-view.ts'

/** Output from its beginning is drawn up to so many bytes, and later output in pieces of so many. */
const MOST_BYTES = 2 * 1024 * 1024
const CHUNK_BYTES = 256 * 1024

/** A terminal drawn from its log, which takes no process; each look works in only what is new. */
export interface LogView {
  /** What the terminal shows once `size` bytes of the log are worked in; null when that can't be told for sure. */
  look(size: number): Promise<ScreenText | null>
  /** While a look goes on it must not be closed. */
  readonly isBusy: boolean
  close(): void
}

/** @param from where the output begins in the log, in bytes */
export function followLog(
  log: string,
  from: number,
  size: { readonly cols: number; readonly rows: number },
): LogView {
  let view: TerminalView | null = null
  let at = from
  let isLost = false
  let isBusy = false
  const lose = (): null => {
    isLost = true
    view?.close()
    view = null
    return null
  }
  const draw = async (until: number): Promise<ScreenText | null> => {
    // Shorter than what was read: somebody cut the log.
    if (isLost || until < at || until - at > MOST_BYTES) return lose()
    view ??= await openView(size)
    const read = await feed(view, log, at, until)
    if (read < until - at || !view.isSure) return lose()
    at = until
    return view.look()
  }
  return {
    get isBusy() {
      return isBusy
    },
    async look(until) {
      isBusy = true
      try {
        return await draw(until)
      } finally {
        isBusy = false
      }
    },
    close: () => void view?.close(),
  }
}

async function feed(view: TerminalView, log: string, from: number, until: number): Promise<number> {
  if (from === until) return 0
  const file = await open(log, 'r')
  try {
    for (let at = from; at < until; ) {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, until - at))
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) return at - from
      at += bytesRead
      view.feed(buffer.subarray(0, bytesRead))
      await view.settled()
    }
    return until - from
  } finally {
    await file.close()
  }
}
