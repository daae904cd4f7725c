import type { TerminalChannel } from '../backend.ts'

/** Unread bytes at which the terminal is told to wait. */
const HIGH_WATER = 1_048_576

/** The part of a pty that a channel needs. */
export interface PtyLike {
  onData(listener: (data: string) => void): unknown
  onExit(listener: () => void): unknown
  write(data: string | Buffer): void
  resize(cols: number, rows: number): void
  pause(): void
  resume(): void
  kill(signal?: string): void
}

/** Turns a pty into a channel with back-pressure; an abort detaches. */
export function channelOf(pty: PtyLike, signal: AbortSignal): TerminalChannel {
  const queue: Uint8Array[] = []
  let queued = 0
  let isOver = false
  let ring: () => void = () => undefined
  // Without an encoding the pty hands out bytes, whatever its type says.
  pty.onData((data) => {
    const bytes = typeof data === 'string' ? Buffer.from(data) : (data as Uint8Array)
    queue.push(bytes)
    queued += bytes.length
    if (queued > HIGH_WATER) pty.pause()
    ring()
  })
  pty.onExit(() => {
    isOver = true
    signal.removeEventListener('abort', detach)
    ring()
  })
  const detach = (): void => {
    if (!isOver) pty.kill('SIGHUP')
  }
  signal.addEventListener('abort', detach, { once: true })
  async function* data(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = queue.shift()
      if (next) {
        queued -= next.length
        if (queued === 0 && !isOver) pty.resume()
        yield next
      } else if (isOver) return
      else {
        await new Promise<void>((resolve) => {
          ring = resolve
        })
      }
    }
  }
  return {
    data: data(),
    write: (text) => {
      if (!isOver) pty.write(typeof text === 'string' ? text : Buffer.from(text))
    },
    resize: async (cols, rows) => {
      if (!isOver) pty.resize(cols, rows)
    },
    detach,
  }
}
