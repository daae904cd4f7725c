import type { Writable } from 'node:stream'

/** One of the two output streams, with back-pressure. Writing to a closed one is no error: nobody is there. */
export interface Output {
  readonly isTerminal: boolean
  /** Cells of a line; undefined when it is not a terminal and lines may be as long as they need. */
  readonly width: number | undefined
  /** True when what was written last did not end a line. */
  readonly isMidLine: boolean
  write(data: string | Uint8Array): Promise<void>
}

const NEWLINE = 10

/** Wraps a stream; `onClosed` is told once when the reader has gone. */
export function openOutput(
  stream: Writable & { isTTY?: boolean; columns?: number },
  onClosed: () => void,
): Output {
  let isClosed = false
  let isMidLine = false
  const close = () => {
    if (isClosed) return
    isClosed = true
    onClosed()
  }
  // Without a listener Node would end the program with a stack trace.
  stream.on('error', close)
  return {
    isTerminal: stream.isTTY === true,
    get width() {
      return stream.isTTY === true ? (stream.columns ?? 80) : undefined
    },
    get isMidLine() {
      return isMidLine
    },
    write(data) {
      if (isClosed || data.length === 0) return Promise.resolve()
      isMidLine = typeof data === 'string' ? !data.endsWith('\n') : data.at(-1) !== NEWLINE
      return new Promise((resolve) => {
        stream.write(data, (error) => {
          if (error) close()
          resolve()
        })
      })
    },
  }
}
