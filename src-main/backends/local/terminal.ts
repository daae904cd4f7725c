import type { TerminalChannel } from '../backend.ts'
import { channelOf } from './terminal-channel.ts'

export const TMUX_FIX = process.platform === 'darwin' ? 'brew install tmux' : 'sudo apt install tmux'

/** Opens a program in a terminal of this machine; leaving it ends the program only. */
export async function openTerminal(
  command: {
    readonly file: string
    readonly args: readonly string[]
    readonly env: Readonly<Record<string, string>>
  },
  size: { readonly cols: number; readonly rows: number },
  signal: AbortSignal,
): Promise<TerminalChannel> {
  signal.throwIfAborted()
  const { spawn } = await import('@lydell/node-pty')
  const pty = spawn(command.file, [...command.args], {
    name: 'xterm-256color',
    cols: size.cols,
    rows: size.rows,
    cwd: '/',
    env: { TERM: 'xterm-256color', LANG: 'C.UTF-8', ...command.env },
    encoding: null,
  })
  return channelOf(pty, signal)
}

/** Attaches to a run's terminal server. Leaving it, also by dying, leaves the agent running. */
export function attachToServer(
  tmux: string,
  socket: string,
  size: { readonly cols: number; readonly rows: number },
  signal: AbortSignal,
): Promise<TerminalChannel> {
  const args = ['-u', '-S', socket, 'attach-session', '-t', 'agent']
  return openTerminal({ file: tmux, args, env: { PATH: process.env.PATH ?? '/usr/bin:/bin' } }, size, signal)
}
