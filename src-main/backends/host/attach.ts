import { bottleError } from '../../system/bottle-error.ts'
import type { RuntimeRef, TerminalChannel } from '../backend.ts'
import { channelOf } from '../local/terminal-channel.ts'
import type { HostContext } from './host-context.ts'
import { TMUX_FIX } from './preflight.ts'
import { hostFacts, pathsOf, runState } from './run-record.ts'

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
