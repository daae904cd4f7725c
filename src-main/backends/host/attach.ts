import { bottleError } from '../../system/bottle-error.ts'
import type { RuntimeRef, TerminalChannel } from '../backend.ts'
import type { HostContext } from './host-context.ts'
import { TMUX_FIX } from './preflight.ts'
import { hostFacts, pathsOf, runState } from './run-record.ts'

/** Unread bytes at which the terminal is told to wait. */
const HIGH_WATER = 1_048_576

/**
 * Opens the agent's terminal. Leaving it, also by dying, leaves the agent running.
 * @throws BottleError `unsupported` for a headless run, `not-found` when the agent has ended
 */
export async function attachTerminal(
  context: HostContext,
  ref: RuntimeRef,
  size: { readonly cols: number; readonly rows: number },
  signal: AbortSignal,
): Promise<TerminalChannel> {
  signal.throwIfAborted()
  const { socket } = hostFacts(ref)
  if (!socket) {
    throw bottleError(
      'unsupported',
      `${ref.slug} runs without a terminal. Follow its output with: icebox logs -f ${ref.slug}`,
      {
        slug: ref.slug,
      },
    )
  }
  const tmux = await context.tmux()
  if (!tmux)
    throw bottleError('engine-missing', `A terminal on this machine needs tmux. Install it: ${TMUX_FIX}`)
  // The server's socket outlives it, so only the run itself can tell.
  if ((await runState(pathsOf(context.home, ref).run)).kind !== 'running') {
    throw bottleError(
      'not-found',
      `The agent of ${ref.slug} has ended, so there is no terminal to attach to.`,
      {
        slug: ref.slug,
      },
    )
  }
  const { spawn } = await import('@lydell/node-pty')
  const env = { PATH: process.env.PATH ?? '/usr/bin:/bin', TERM: 'xterm-256color', LANG: 'C.UTF-8' }
  const pty = spawn(tmux, ['-u', '-S', socket, 'attach-session', '-t', 'agent'], {
    name: 'xterm-256color',
    cols: size.cols,
    rows: size.rows,
    cwd: '/',
    env,
    encoding: null,
  })
  return channelOf(pty, signal)
}

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
