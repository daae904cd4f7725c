import { writeFile } from 'node:fs/promises'
import { bottleError } from '../../system/bottle-error.ts'
import type { RuntimeRef, TerminalChannel } from '../backend.ts'
import { attachedMark } from '../local/start-runner.ts'
import { openTerminal } from '../local/terminal.ts'
import type { HostContext } from './host-context.ts'
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
  const { socket, multiplexer: name } = hostFacts(ref)
  if (!socket) {
    throw bottleError(
      'unsupported',
      `${ref.slug} runs without a terminal. Follow its output with: icebox logs -f ${ref.slug}`,
      {
        slug: ref.slug,
      },
    )
  }
  const multiplexer = await context.multiplexer(name)
  // The server's socket outlives it, so only the run itself can tell.
  const { run } = pathsOf(context.home, ref)
  if ((await runState(run)).kind !== 'running') {
    throw bottleError(
      'not-found',
      `The agent of ${ref.slug} has ended, so there is no terminal to attach to.`,
      {
        slug: ref.slug,
      },
    )
  }
  const command = await multiplexer.attachCommand(socket)
  await writeFile(attachedMark(run.dir), '', { mode: 0o600 })
  return openTerminal(command, size, signal)
}
