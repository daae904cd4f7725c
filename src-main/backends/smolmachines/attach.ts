import { bottleError } from '../../system/bottle-error.ts'
import type { RuntimeRef, TerminalChannel } from '../backend.ts'
import { attachToServer, TMUX_FIX } from '../local/terminal.ts'
import type { SmolContext } from './context.ts'
import { runPaths } from './run-paths.ts'
import { runState, smolFacts } from './run-state.ts'

/**
 * Opens the agent's terminal. Leaving it, also by dying, leaves the agent running.
 * @throws BottleError `unsupported` for a headless run, `not-found` when the agent has ended
 */
export async function attachTerminal(
  context: SmolContext,
  ref: RuntimeRef,
  size: { readonly cols: number; readonly rows: number },
  signal: AbortSignal,
): Promise<TerminalChannel> {
  const { slug } = ref
  const { socket } = smolFacts(ref)
  if (!socket) {
    throw bottleError(
      'unsupported',
      `${slug} runs without a terminal. Follow its output with: icebox logs -f ${slug}`,
      { slug },
    )
  }
  const tmux = await context.tmux()
  if (!tmux) throw bottleError('engine-missing', `A terminal needs tmux. Install it: ${TMUX_FIX}`)
  if ((await runState(runPaths(context.home, ref))).kind !== 'running') {
    throw bottleError('not-found', `The agent of ${slug} has ended, so there is no terminal to attach to.`, {
      slug,
    })
  }
  return attachToServer(tmux, socket, size, signal)
}
