import { access } from 'node:fs/promises'
import { bottleError } from '../../system/bottle-error.ts'
import type { RuntimeRef, TerminalChannel } from '../backend.ts'
import { attachToServer, openTerminal, TMUX_FIX } from '../local/terminal.ts'
import { readFacts } from './container-facts.ts'
import type { ContainerContext } from './context.ts'
import { missingProgram } from './errors.ts'
import { ownContainer } from './own-container.ts'

/**
 * The agent's own terminal when it has one; otherwise a shell beside the agent. Leaving it leaves the agent running.
 * @throws BottleError `not-found` when it does not run
 */
export async function attachTerminal(
  context: ContainerContext,
  ref: RuntimeRef,
  size: { readonly cols: number; readonly rows: number },
  signal: AbortSignal,
): Promise<TerminalChannel> {
  const entry = await ownContainer(context, ref, signal)
  if (entry?.state !== 'running') {
    throw bottleError('not-found', `${ref.name} is not running.`, { slug: ref.slug })
  }
  const { socket } = readFacts(ref)
  // One that somebody started by hand has no terminal server, whatever the record says.
  if (socket && (await isThere(socket))) {
    const tmux = await context.tmux()
    if (tmux) return attachToServer(tmux, socket, size, signal)
    throw bottleError('engine-missing', `A terminal on this machine needs tmux. Install it: ${TMUX_FIX}`)
  }
  const file = await context.client.program()
  if (!file) throw missingProgram()
  const args = ['exec', '--interactive', '--tty', ref.id, '/bin/sh']
  return openTerminal({ file, args, env: context.client.env }, size, signal)
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
